"""The stack as declared, whatever an earlier run, even a killed one, has left."""

from __future__ import annotations

import json

from drills.stack import Stack


def put_right(stack: Stack) -> None:
    """No outage, no fault, no lock, nothing changed: as `make up` leaves it. Raises CommandError."""
    shell = stack.shell
    for outage in json.loads(shell.sandbox("outage", "--json").out):
        shell.sandbox("outage", str(outage["region"]), "--end")
    shell.sandbox("fault", "clear")
    # It also undoes what a killed pulumi left in the state, and asks an agent in the end.
    done = shell.sandbox("deploy", check=False, timeout=1200)
    if done.code != 0:
        # What is gone without Pulumi's knowing: it has to look.
        stack.up("--refresh")
        shell.sandbox("deploy", timeout=1200)
    stack.sign_in()
