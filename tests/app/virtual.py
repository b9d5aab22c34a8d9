"""Virtual time: a loop that never waits. When nothing is ready, its clock jumps to what comes next."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
#: When virtual time begins, unless a test says otherwise.
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


class _Selector(selectors.DefaultSelector):
    """Passes over the time that it is asked to wait."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise AssertionError("everything waits for something that will never come")
        if not ready:
            self.passed += timeout or 0
        return list(ready)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.passed


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which may sleep for days; whatever it leaves behind is cancelled.

    What the application leaves to chance is the same every time.
    """
    random.seed(0)
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)


class Clock:
    """The wall clock of virtual time, `ahead` by some seconds: no two machines agree."""

    def __init__(self, start: datetime = START, ahead: float = 0) -> None:
        self._start, self._ahead = start, ahead

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=asyncio.get_running_loop().time() + self._ahead)
