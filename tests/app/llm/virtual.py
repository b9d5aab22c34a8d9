"""Time that passes only when everybody waits: hours of an outage in seconds, and the same every run."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


# What one turn of the loop takes: a clock that stands still makes waiting for a rounding error endless.
TURN = 1e-9


class _Selector(selectors.DefaultSelector):
    """Sleeps by moving the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "every task waits for something that never comes"
            self.now += max(TURN, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to its end in virtual time, which starts at 0."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def now() -> float:
    """The running loop's clock, for whatever takes one."""
    return asyncio.get_running_loop().time()


def about(seconds: float) -> Any:
    """This time, but for the turns of the loop."""
    return pytest.approx(seconds, abs=1e-5)
