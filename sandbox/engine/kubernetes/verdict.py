"""What a look at an object says about its readiness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import Object


@dataclass(frozen=True)
class Verdict:
    ready: bool
    #: What it waits for, or what went wrong.
    message: str = ""
    #: It will not become ready by itself.
    failed: bool = False
    #: Further findings, for instance of its pods.
    findings: tuple[str, ...] = field(default=())


READY = Verdict(True)

Look = Callable[[Client, Object], Verdict]


def waiting(message: str, *findings: str) -> Verdict:
    return Verdict(False, message, findings=findings)


def failed(message: str, *findings: str) -> Verdict:
    return Verdict(False, message, failed=True, findings=findings)


def condition(value: Object, kind: str) -> tuple[str, str, str]:
    """(status, reason, message) of a status condition; empty strings when it is not there."""
    for entry in value.get("status", {}).get("conditions") or ():
        if entry.get("type") == kind:
            return entry.get("status", ""), entry.get("reason", ""), entry.get("message", "")
    return "", "", ""
