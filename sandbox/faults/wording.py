"""Faults and delays in words, as the command line says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DELAYED = {"replication": "replicates", "backups": "is backed up"}


def described(fault: Mapping[str, Any]) -> str:
    """One line for what `fault list` answers."""
    if "seconds" in fault:
        return _delay(fault)
    what = f"answers {fault['status']}" if fault["status"] else f"hangs for {fault['hang']:g} s"
    if fault["cut"]:
        what = "breaks off its answers"
    if fault["operation_fails"]:
        what = "lets asynchronous operations fail"
    only = [
        f"{name} {fault[name]}" for name in ("method", "type", "name", "host", "path") if fault[name] != "*"
    ]
    where = f" for {', '.join(only)}" if only else ""
    times = f", {fault['times']} more times" if fault["times"] else ""
    return f"{fault['number']}: {fault['target']} {what}{where}{times}"


def _delay(delay: Mapping[str, Any]) -> str:
    where = f" {delay['name']}" if delay["name"] != "*" else ""
    what = f"{delay['service']}{where} {_DELAYED[delay['target']]}"
    return f"{delay['number']}: {what} {delay['seconds']:g} s late"
