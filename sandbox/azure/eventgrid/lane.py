"""One event subscription's queue: what is due is handed to its work, a bounded number at a time.

Each subscription has its own, so that a destination that hangs holds up nobody else's events.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from sandbox.azure.eventgrid.timing import Clock

log = logging.getLogger(__name__)

#: Attempts under way at once, each of as many events as the work takes together.
_CONCURRENT = 4
#: Dead letters that are written together at most.
_LETTERS = 1000

#: When something is due, and the event's number.
Due = tuple[float, int]


class Work(Protocol):
    """What a lane does with numbers. Both answer what is due again: attempts, and dead letters."""

    def batch(self) -> int:
        """Events that are attempted together at most."""

    async def attempt(self, numbers: Sequence[int]) -> tuple[list[Due], list[Due]]: ...

    async def bury(self, numbers: Sequence[int]) -> list[Due]: ...


class Lane:
    """`run` it as a task; `add` and `add_letters` from the same loop."""

    def __init__(self, name: str, work: Work, clock: Clock) -> None:
        self._name = name
        self._work = work
        self._clock = clock
        self._due: list[Due] = []
        self._letters: list[Due] = []
        self._attempts: set[asyncio.Task[None]] = set()
        self._burial: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def add(self, due: Iterable[Due]) -> None:
        for one in due:
            heapq.heappush(self._due, one)
        self._changed.set()

    def add_letters(self, due: Iterable[Due]) -> None:
        for one in due:
            heapq.heappush(self._letters, one)
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled; attempts under way are cancelled too, and are made again another time."""
        try:
            while True:
                self._changed.clear()
                self._start()
                await self._clock.wait(self._changed, self._pause())
        finally:
            running = [*self._attempts, *([self._burial] if self._burial else [])]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _start(self) -> None:
        now = self._clock.now()
        if self._due and self._due[0][0] <= now and len(self._attempts) < _CONCURRENT:
            self._start_attempts(now, self._work.batch())
        if self._burial is None and (numbers := _take(self._letters, now, _LETTERS)):
            self._burial = asyncio.create_task(self._bury(numbers))

    def _start_attempts(self, now: float, together: int) -> None:
        while len(self._attempts) < _CONCURRENT and (numbers := _take(self._due, now, together)):
            task = asyncio.create_task(self._attempt(numbers))
            self._attempts.add(task)
            task.add_done_callback(self._ended)

    def _pause(self) -> float | None:
        """Seconds until something can be started; None when only a change can bring that about."""
        free = len(self._attempts) < _CONCURRENT
        nexts = [self._due[0][0]] if free and self._due else []
        nexts += [self._letters[0][0]] if self._burial is None and self._letters else []
        return max(0.0, min(nexts) - self._clock.now()) if nexts else None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        self._changed.set()

    async def _attempt(self, numbers: Sequence[int]) -> None:
        try:
            again, letters = await self._work.attempt(numbers)
        except Exception:  # a defect must not end the lane; the events stay in the journal
            log.exception("an attempt of %s failed", self._name)
            return
        self.add(again)
        self.add_letters(letters)

    async def _bury(self, numbers: Sequence[int]) -> None:
        try:
            self.add_letters(await self._work.bury(numbers))
        except Exception:  # as above
            log.exception("dead letters of %s could not be written", self._name)
        finally:
            self._burial = None
            self._changed.set()


def _take(heap: list[Due], now: float, most: int) -> list[int]:
    """The numbers due by now, the oldest first."""
    numbers: list[int] = []
    while heap and heap[0][0] <= now and len(numbers) < most:
        numbers.append(heapq.heappop(heap)[1])
    return numbers
