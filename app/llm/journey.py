"""A call's way along the lanes: whom to ask next, when to wait, when to give up.

In order, each provider once. When none of them could answer: the one that may be probed early; then whoever
becomes available within the time that a call may wait; then, if the retry budget allows, once more from the
start after a pause. Whatever happens, no more than so many attempts, and none after the deadline.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.llm.breaker import Clock
from app.llm.failures import DeadlineError, ExhaustedError, LLMError
from app.llm.lane import Lane, Seat
from app.llm.limits import RetryBudget
from app.llm.waiters import Waiters
from app.settings import LimitSettings

# What a caller is told to wait where no provider said anything.
_RETRY_AFTER = 1.0
# Pause before a retry, doubled with each; half of it is random, so that callers do not return in step.
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Leg:
    """One attempt: its seat, its number (from 1), and how long it may take.

    A timeout is the provider's fault if it was given at least `fair` seconds.
    """

    seat: Seat
    number: int
    seconds: float
    fair: float


@dataclass(frozen=True)
class Road:
    """What all journeys share."""

    limits: LimitSettings
    attempt_seconds: float
    retries: RetryBudget
    waiters: Waiters
    clock: Clock
    jitter: Callable[[], float] = random.random


class Journey:
    """Of one call along `lanes`, until `deadline` (on the road's clock)."""

    def __init__(self, road: Road, lanes: Sequence[Lane], deadline: float) -> None:
        self._road, self._lanes, self._deadline = road, lanes, deadline
        self._failures: list[LLMError] = []
        self._tried: set[str] = set()
        self._waited = 0.0
        self._retries = 0

    async def next(self) -> Leg:
        """The next attempt, which the caller must make or leave. Raises ExhaustedError, DeadlineError."""
        try:
            return await self._next()
        finally:
            # There may be room for another one, or no sense in waiting any longer.
            self._road.waiters.wake()

    def failed(self, error: LLMError) -> None:
        """The attempt did not succeed. Raises the error if it is not to be made anywhere else."""
        if not error.fails_over:
            raise error
        self._failures.append(error)
        self._tried.add(error.provider)

    async def _next(self) -> Leg:
        while True:
            if self._left() <= 0:
                raise DeadlineError(self._failures)
            if len(self._failures) >= self._road.limits.attempts:
                raise self._exhausted()
            seat = self._enter(early=False) or self._enter(early=True)
            if seat is not None:
                return self._leg(seat)
            if not await self._pause():
                raise self._exhausted()

    def _left(self) -> float:
        return self._deadline - self._road.clock()

    def _untried(self) -> list[Lane]:
        return [lane for lane in self._lanes if lane.name not in self._tried]

    def _enter(self, *, early: bool) -> Seat | None:
        return next((seat for lane in self._untried() if (seat := lane.enter(early=early))), None)

    def _leg(self, seat: Seat) -> Leg:
        """Time is shared with those that would be asked next, else the first one could use up all of it."""
        others = sum(lane.available for lane in self._untried() if lane is not seat.lane)
        most = self._road.attempt_seconds
        seconds = min(most, self._left() / (1 + others))
        return Leg(seat, len(self._failures) + 1, seconds, fair=most / 2)

    async def _pause(self) -> bool:
        """Let time pass if that may help; whether it is worth looking again."""
        return await self._wait() or await self._start_over()

    async def _wait(self) -> bool:
        """For a provider that was not asked yet, as long as a call may wait in all."""
        waits = [lane.wait() for lane in self._untried()]
        known = [seconds for seconds in waits if seconds is not None]
        left = self._may_wait()
        # Those of which nothing is known may be free at any moment.
        if left <= 0 or not waits or (len(known) == len(waits) and min(known) > left):
            return False
        started = self._road.clock()
        await self._road.waiters.wait(min([*known, left]))
        self._waited += self._road.clock() - started
        return True

    def _may_wait(self) -> float:
        return min(self._road.limits.wait_seconds - self._waited, self._left())

    async def _start_over(self) -> bool:
        """After a pause, all providers may be asked again, if one of them can be by then."""
        seconds = _PAUSE_SECONDS * 2**self._retries * (1 + self._road.jitter()) / 2
        latest = seconds + self._may_wait()
        soon = any((wait := lane.wait()) is None or wait <= latest for lane in self._lanes)
        if not self._tried or not soon or seconds >= self._left() or not self._road.retries.spend():
            return False
        self._retries += 1
        self._tried.clear()
        await asyncio.sleep(seconds)
        return True

    def _exhausted(self) -> ExhaustedError:
        told = {failure.provider: failure.retry_after for failure in self._failures}
        waits = [lane.breaker.wait() or told.get(lane.name) or _RETRY_AFTER for lane in self._lanes]
        return ExhaustedError(self._failures, min(waits))
