"""A clock that stands still until a test moves it, and a way to wait for what other tasks do meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class StandingClock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._moved = asyncio.Event()
        #: When the waiters' time is up; infinity for those that wait for a change alone.
        self.waiting_until: list[float] = []

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        deadline = float("inf") if seconds is None else self._now + seconds
        self.waiting_until.append(deadline)
        try:
            while not changed.is_set() and self._now < deadline:
                moved = asyncio.ensure_future(self._moved.wait())
                change = asyncio.ensure_future(changed.wait())
                await asyncio.wait({moved, change}, return_when=asyncio.FIRST_COMPLETED)
                for task in (moved, change):
                    task.cancel()
        finally:
            self.waiting_until.remove(deadline)


async def eventually(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.002)
