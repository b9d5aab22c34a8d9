"""How far a long-running operation is: said by the code that works, shown by the operation's status."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

Report = Callable[[float, str], None]

#: Set by the core around background work; each task has its own.
current: ContextVar[Report | None] = ContextVar("progress", default=None)


def report(percent: float, message: str) -> None:
    """Say that `percent` of the current operation is done and what runs now. Outside one, nothing happens."""
    tell = current.get()
    if tell is not None:
        tell(percent, message)
