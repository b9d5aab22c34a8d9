"""Waiting until an object is ready, or gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.engine.kubernetes.client import UnreachableError
from sandbox.engine.kubernetes.objects import Object, identity
from sandbox.engine.kubernetes.operations import Target
from sandbox.engine.kubernetes.verdict import Look, Verdict
from sandbox.engine.plug import CancelledError

#: Seconds between looks: quick at first, for what is ready at once.
_FIRST_PAUSE = 0.15
_LONGEST_PAUSE = 2.0


class NotReadyError(Exception):
    """The object exists but is not ready: `object` as last seen, `reasons` for the user."""

    def __init__(self, value: Object, reasons: Sequence[str]) -> None:
        super().__init__(reasons[0])
        self.object = value
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class Patience:
    """How long to wait, how to pause (raising CancelledError on an interrupt), and where to tell."""

    seconds: float
    pause: Callable[[float], None]
    tell: Callable[[str], None]


def until_ready(target: Target, made: Object, look: Look, patience: Patience) -> Object:
    """The object once it is ready. Raises NotReadyError on failure, on a timeout and on an interrupt."""
    deadline, pause = time.monotonic() + patience.seconds, _FIRST_PAUSE
    value, verdict, told = made, Verdict(False), ""
    while True:
        value, verdict = _look(target, value, verdict, look)
        if verdict.ready:
            patience.tell("")
            return value
        if verdict.failed:
            raise NotReadyError(value, _reasons(target, verdict))
        shown = "; ".join((verdict.message, *verdict.findings[:1]))
        if shown != told:
            patience.tell(told := shown)
        if time.monotonic() > deadline:
            text = f"{target.kind.kind} {identity(value)} was not ready within {patience.seconds:g} s"
            raise NotReadyError(value, (text, *_reasons(target, verdict)))
        try:
            patience.pause(pause)
        except CancelledError as error:
            raise NotReadyError(value, ("interrupted while waiting", *_reasons(target, verdict))) from error
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _look(target: Target, value: Object, before: Verdict, look: Look) -> tuple[Object, Verdict]:
    try:
        live = target.live()
        if live is None:
            return value, Verdict(False, "it was deleted while waiting for it", failed=True)
        return live, look(target.client, live)
    except UnreachableError as error:  # an API server may restart; the deadline bounds it
        return value, Verdict(False, str(error), findings=before.findings)


def _reasons(target: Target, verdict: Verdict) -> tuple[str, ...]:
    return (f"[{target.kind.kind}] {verdict.message}", *verdict.findings)


def until_gone(target: Target, patience: Patience) -> None:
    """Raises NotReadyError when it is still there, naming the finalizers that hold it."""
    deadline, pause = time.monotonic() + patience.seconds, _FIRST_PAUSE
    first = target.live()
    uid = first["metadata"]["uid"] if first else None
    while (live := target.live()) is not None and live["metadata"]["uid"] == uid:
        holders = ", ".join(live["metadata"].get("finalizers") or ())
        if time.monotonic() > deadline:
            text = f"{target.kind.kind} {identity(live)} was not gone within {patience.seconds:g} s"
            raise NotReadyError(live, (f"{text}; held by finalizers: {holders}" if holders else text,))
        try:
            patience.pause(pause)
        except CancelledError as error:
            raise NotReadyError(live, ("interrupted while waiting for its deletion",)) from error
        pause = min(pause * 1.5, _LONGEST_PAUSE)
