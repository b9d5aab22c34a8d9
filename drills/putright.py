"""The stack as declared, whatever an earlier run, even a killed one, has left."""

from __future__ import annotations

import json

from drills import kept_state, refusals, stamp
from drills.shell import CommandError
from drills.stack import CLUSTER_IS_GONE, NOTHING, Stack


def put_right(stack: Stack) -> None:
    """No outage, no fault, no lock, nothing changed: as `make up` leaves it. Raises CommandError."""
    shell = stack.shell
    for outage in json.loads(shell.sandbox("outage", "--json").out):
        shell.sandbox("outage", str(outage["region"]), "--end")
    shell.sandbox("fault", "clear")
    # Before the stack is updated: without its state it would begin anew, and a stamp may have its data.
    kept_state.give_back(stack)
    stamp.clear_away(stack)
    # It also undoes what a killed pulumi left in the state, and asks an agent in the end.
    if _is_gone(stack) or shell.sandbox("deploy", check=False, timeout=1200).code != 0:
        # What is gone without Pulumi's knowing: it has to look.
        stack.pulumi("cancel", "--yes", check=False)
        _look(stack)
        shell.sandbox("deploy", timeout=1200)
    stack.sign_in()


def _look(stack: Stack) -> None:
    """Data that a killed drill deleted is given up: the next one begins with what `make up` does."""
    variables = CLUSTER_IS_GONE if _is_gone(stack) else NOTHING
    done = stack.up("--refresh", variables=variables, check=False)
    if done.code == 0:
        return
    said = done.out + done.err
    if not (lost := refusals.losses(said)):
        raise CommandError(f"pulumi up --refresh failed:\n{said[-6000:]}")
    settings = stack.settings(begin_empty=[one.identity for one in lost])
    stack.up("--refresh", settings=settings, variables=variables)


def _is_gone(stack: Stack) -> bool:
    """Whether the stack has a cluster that Azure does not have any more."""
    names = stack.names
    listed = stack.shell.az("aks", "list", "--query", f"[?name=='{names.cluster}']")
    known = stack.pulumi("stack output", "--json", check=False)
    return not listed and known.code == 0 and names.cluster in known.out
