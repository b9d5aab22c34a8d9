"""A provider with what guards it: its breaker and its places."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from app.llm import telemetry
from app.llm.breaker import Breaker, Clock, Permit
from app.llm.failures import LLMError
from app.llm.limits import Places
from app.llm.providers import Provider
from app.settings import BreakerSettings


class Lane:
    """One of the ways a call may take. `on_leave` hears when a place or the breaker may be free again."""

    def __init__(
        self,
        provider: Provider,
        places: int,
        *,
        breaker: BreakerSettings,
        agent: str,
        clock: Clock,
        on_leave: Callable[[], None],
    ) -> None:
        self.provider = provider
        self.name = provider.name
        self._places = Places(places)
        self._on_leave = on_leave
        self.breaker = Breaker(breaker, clock, telemetry.breaker_gauge(agent, self.name))
        self._in_flight = telemetry.IN_FLIGHT.labels(agent, self.name)

    def enter(self, *, early: bool = False) -> Seat | None:
        """A seat for one call, or None: full, or the breaker is open. `early` as in Breaker."""
        if self._places.full:
            return None
        permit = self.breaker.admit(early=early)
        if permit is None:
            return None
        self._places.take()
        self._in_flight.set(self._places.taken)
        return Seat(self, permit)

    def wait(self) -> float | None:
        """Seconds until it may be entered early; None when that depends on a call that is under way."""
        return None if self._places.full else self.breaker.wait(early=True)

    @property
    def available(self) -> bool:
        return not self._places.full and self.breaker.wait() == 0

    def leave(self) -> None:
        self._places.leave()
        self._in_flight.set(self._places.taken)
        self._on_leave()


class Seat:
    """A place in a lane for the time of one call; without a word on how it went, it went nowhere."""

    def __init__(self, lane: Lane, permit: Permit) -> None:
        self.lane, self._permit = lane, permit
        self._settled = False

    def succeeded(self) -> None:
        self._settled = True
        self._permit.succeeded()

    def failed(self, error: LLMError) -> None:
        """A failure that another provider would not mend shows that this one works."""
        self._settled = True
        if error.fails_over:
            self._permit.failed(error.retry_after)
        else:
            self._permit.succeeded()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._settled:
            self._permit.abandoned()
        self.lane.leave()
