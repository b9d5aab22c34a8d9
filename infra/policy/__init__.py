"""The policy pack: rules that every stack must keep, whoever changes the program.

`rules/` says what must hold, one small function per rule; `pack.py` hands them to Pulumi. The same rules run
in `pulumi preview` and `pulumi up` (`--policy-pack infra/policy`) and on a state file without a cloud
(`pulumi policy analyze --file state.json --policy-pack infra/policy`).
"""
