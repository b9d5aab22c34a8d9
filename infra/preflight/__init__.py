"""The pre-flight: whether a subscription has what a stack needs, before anything is deployed.

It asks Resource Manager with GET only, lists what a stamp would be made from, and changes nothing: see
`python -m infra.preflight --help`.
"""
