"""Faults of Resource Manager, one for each resource type, and updates under them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox import control
from sandbox.config import Config
from sandbox.types.table import by_token
from tests.sandboxed import ROOT
from tests.soak.stack import OwnStack

_GRAPH = ROOT / "tests/infra/graph/dev.yaml"


@dataclass(frozen=True)
class Failure:
    """A way to fail: what `sandbox fault arm` is told, and the code that the user must read."""

    name: str
    fault: dict[str, Any]
    code: str
    long_running: bool = False

    def reason(self, token: str) -> str:
        return f"rehearsed: {self.name} of {token}"


#: A 429 is tried again until patience ends, so it asks to wait no second.
FAILURES = {
    failure.name: failure
    for failure in (
        Failure("409", {"status": 409}, "Conflict"),
        Failure("429", {"status": 429, "retry_after": 0}, "TooManyRequests"),
        Failure("500", {"status": 500}, "InternalServerError"),
        Failure("failed operation", {"operation_fails": True}, "InternalOperationError", long_running=True),
    )
}


def tokens(failure: Failure) -> list[str]:
    """The types of dev's graph that can fail so: only some have asynchronous operations."""
    found = sorted(set(re.findall(r"(azure-native:\w+:\w+) [^:\n]+:", _GRAPH.read_text())))
    return [token for token in found if not failure.long_running or _row(token).long_running]


def _row(token: str) -> Any:
    row = by_token(token)
    assert row is not None, token
    return row


def kind(token: str) -> str:
    """The last part of the ARM type, as a path of a resource has it; `dnsZones` for its records."""
    return str([part for part in _row(token).type.split("/") if "{" not in part][-1])


class Faults:
    """Those that this test put in force. Gone with `clear`, or when it is left."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __enter__(self) -> Faults:
        return self

    def __exit__(self, *_: object) -> None:
        for token in list(self._numbers):
            self.clear(token)

    def add(self, token: str, **fault: Any) -> None:
        pattern = re.sub(r"\{\w+\}", "*", _row(token).type)
        told = control.ask(
            Config(), "fault add", **{"target": "arm", "type": pattern, "method": "PUT", **fault}
        )
        self._numbers[token] = told["number"]

    def clear(self, token: str) -> None:
        control.ask(Config(), "fault clear", number=self._numbers.pop(token))

    def in_force(self) -> set[str]:
        """Those that are not used up."""
        numbers = {fault["number"] for fault in control.ask(Config(), "fault list")}
        return {token for token, number in self._numbers.items() if number in numbers}


@dataclass
class Peeled:
    """`told`: token -> what its resources' failures said; `rounds`: updates until every type had failed."""

    told: dict[str, list[str]] = field(default_factory=dict)
    rounds: int = 0
    stray: dict[str, list[str]] = field(default_factory=dict)


def peel(stack: OwnStack, failure: Failure, wanted: Iterable[str], **only: str) -> Peeled:
    """Bring the stack up while every type fails, layer by layer.

    An update makes what it can (`--continue-on-error`): the types whose resources are reached fail, and what
    stands on them is not tried. Their faults are then cleared, so that the next update repairs them and
    reaches the next layer, until each type has failed once. `only`: more of what a fault is told.
    """
    peeled = Peeled()
    with Faults() as faults:
        for token in wanted:
            faults.add(token, **failure.fault, message=failure.reason(token), **only)
        while waiting := faults.in_force():
            update = stack.up("--continue-on-error")
            peeled.rounds += 1
            failed = update.by_type()
            fresh = failed.keys() & waiting
            assert fresh, f"none of {sorted(waiting)} failed:\n{update.text[-6000:]}"
            assert update.code != 0, update.text[-3000:]
            for token in fresh:
                faults.clear(token)
                peeled.told[token] = failed[token]
            peeled.stray.update({token: failed[token] for token in failed.keys() - waiting})
    return peeled


def misworded(failure: Failure, peeled: Peeled) -> dict[str, list[str]]:
    """Messages that leave out which resource failed, the code, or the reason."""
    found: dict[str, list[str]] = {}
    for token, messages in peeled.told.items():
        wanted = (f"/{kind(token)}/", failure.code, failure.reason(token))
        for message in messages:
            if not all(part.lower() in message.lower() for part in wanted):
                found.setdefault(token, []).append(message)
    return found
