"""How far an agent is behind with its events, for the alert on it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from app.background import keep
from app.dependency import DependencyError
from app.telemetry.metrics import QUEUE_MESSAGES, QUEUE_OLDEST

log = logging.getLogger(__name__)
# As often as metrics are scraped.
_SECONDS = 15.0


class Backlog(Protocol):
    """The queue, as far as measuring needs it; see `Queue`."""

    async def depth(self) -> int: ...

    async def oldest(self) -> datetime | None: ...


class Lag:
    """Use it as a context: it keeps the gauges of the agent's queue."""

    def __init__(
        self, agent: str, backlog: Backlog, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._agent, self._backlog, self._clock = agent, backlog, clock
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(keep("measuring the queue", self._measure))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _measure(self) -> None:
        try:
            depth, oldest = await self._backlog.depth(), await self._backlog.oldest()
        except DependencyError as error:
            log.warning("the queue cannot be measured: %s", error)
            # No figure is better than one that was true once.
            for gauge in (QUEUE_MESSAGES, QUEUE_OLDEST):
                with contextlib.suppress(KeyError):
                    gauge.remove(self._agent)
        else:
            QUEUE_MESSAGES.labels(self._agent).set(depth)
            waited = (self._clock() - oldest).total_seconds() if oldest else 0.0
            QUEUE_OLDEST.labels(self._agent).set(max(0.0, waited))
        await asyncio.sleep(_SECONDS)
