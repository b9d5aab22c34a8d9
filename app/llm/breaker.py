"""A circuit breaker: stops asking a provider that keeps failing, and finds out when it is back.

Closed: calls go through; so many failures among the last calls, or one that names a pause (`Retry-After`),
open it. Open: no calls until the cooldown is over, which doubles each time a probe fails. Half-open: one
call goes through as a probe; its outcome closes the breaker or opens it again.

A cooldown of our own is a guess, so whoever has no other provider left may probe `early`, at intervals; a
pause that the provider asked for is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from app.settings import BreakerSettings

Clock = Callable[[], float]


class State(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Permit:
    """The right to make one call, to be settled once; what it learnt counts if the breaker has not turned."""

    def __init__(self, breaker: Breaker, era: int) -> None:
        self._breaker, self._era = breaker, era

    def succeeded(self) -> None:
        self._breaker.record(self._era, failed=False)

    def failed(self, retry_after: float | None = None) -> None:
        """`retry_after`: seconds that the provider wants to be left alone, if it said."""
        self._breaker.record(self._era, failed=True, retry_after=retry_after)

    def abandoned(self) -> None:
        """The call ended without telling anything of the provider."""
        self._breaker.abandon(self._era)


class Breaker:
    """Of one provider. Knows no tasks and no locks: every method returns at once.

    `clock` counts seconds, monotonic; `on_change` hears every new state.
    """

    def __init__(
        self, settings: BreakerSettings, clock: Clock, on_change: Callable[[State], None] = lambda _: None
    ) -> None:
        self._settings, self._clock, self._on_change = settings, clock, on_change
        self._state = State.CLOSED
        self._failures: deque[bool] = deque(maxlen=settings.window)
        # Permits of before the last change of state are of another era.
        self._era = 0
        self._trips = 0
        self._until = self._early = 0.0

    @property
    def state(self) -> State:
        return self._state

    def admit(self, *, early: bool = False) -> Permit | None:
        """A permit, or None: not now. In half-open state the permit is the probe's."""
        if self._state is State.OPEN and self.wait(early=early) == 0:
            self._turn(State.HALF_OPEN)
            return Permit(self, self._era)
        return Permit(self, self._era) if self._state is State.CLOSED else None

    def wait(self, *, early: bool = False) -> float | None:
        """Seconds until a permit may be had; None while a probe is under way: that depends on it."""
        if self._state is State.HALF_OPEN:
            return None
        if self._state is State.CLOSED:
            return 0.0
        return max(0.0, (self._early if early else self._until) - self._clock())

    def record(self, era: int, *, failed: bool, retry_after: float | None = None) -> None:
        """What a permit's call ended in.

        One that began before the breaker turned says how the provider was; but a pause that is asked for
        is asked for.
        """
        now = era == self._era
        if self._state is State.HALF_OPEN:
            if now:
                self._trip(retry_after) if failed else self._close()
        elif self._state is State.OPEN:
            if retry_after:
                self._pause(retry_after)
        else:
            if now:
                self._failures.append(failed)
            if retry_after or sum(self._failures) >= self._settings.failures:
                self._trip(retry_after)

    def abandon(self, era: int) -> None:
        """A probe that told nothing gives its place to the next."""
        if era == self._era and self._state is State.HALF_OPEN:
            self._until = self._early = self._clock()
            self._turn(State.OPEN)

    def _trip(self, retry_after: float | None) -> None:
        settings, now = self._settings, self._clock()
        if retry_after:
            self._until = now
            self._pause(retry_after)
        else:
            guess = min(settings.cooldown_seconds * 2**self._trips, settings.max_cooldown_seconds)
            self._trips += 1
            self._until, self._early = now + guess, now + min(guess, settings.probe_seconds)
        self._turn(State.OPEN)

    def _pause(self, retry_after: float) -> None:
        """No provider is away for longer than the longest cooldown, whatever it says."""
        told = self._clock() + min(retry_after, self._settings.max_cooldown_seconds)
        self._until = self._early = max(self._until, told)

    def _close(self) -> None:
        self._failures.clear()
        self._trips = 0
        self._turn(State.CLOSED)

    def _turn(self, state: State) -> None:
        self._era += 1
        self._state = state
        self._on_change(state)
