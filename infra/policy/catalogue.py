"""`python -m infra.policy.catalogue`: all rules as Markdown, for docs/policies.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

from infra.policy.rule import Level, Rule
from infra.policy.rules import ROOMS

_HEAD = """# Policies

What every stack must keep. Written by `uv run python -m infra.policy.catalogue > docs/policies.md`; the rules
are in `infra/policy/rules`, each with stacks that keep and break it in `tests/infra/policy`.

Run them with `pulumi preview --policy-pack infra/policy`, or without a cloud on a state file:

    pulumi stack export > state.json
    pulumi policy analyze --file state.json --policy-pack infra/policy

A broken rule stops the update; advice is shown. Production is a stack called `prod`, or that with a suffix
(`docs/adr/0007`).
"""


def render() -> str:
    return "\n".join((_HEAD, *(line for room in ROOMS for line in _room(room))))


def _room(room: ModuleType) -> Iterator[str]:
    title = (room.__doc__ or "").splitlines()[0].rstrip(".")
    yield f"## {title}\n"
    yield "| Rule | What must hold | Where | How to mend it |"
    yield "| --- | --- | --- | --- |"
    for rule in vars(room).values():
        if isinstance(rule, Rule):
            yield f"| [{rule.name}]({_link(rule)}) | {rule.description} | {_where(rule)} | {rule.remedy} |"
    yield ""


def _link(rule: Rule) -> str:
    return rule.source.removeprefix("docs/")


def _where(rule: Rule) -> str:
    place = "production" if rule.production else "everywhere"
    return f"{place}, as advice" if rule.level is Level.ADVISORY else place


if __name__ == "__main__":
    sys.stdout.write(render())
