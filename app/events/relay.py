"""The relay: brings the outbox's entries of one target there, at least once, and settles them.

Fresh entries come at once. Those of pods that died are found in Cosmos DB when they are old enough that
their own pod would have delivered them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import Self

from app.background import backoff, keep
from app.dependency import DependencyError, RefusedError
from app.store.documents import BATCH
from app.store.errors import StoreError
from app.store.letters import Letters
from app.store.outbox import Entry, Outbox, Target
from app.telemetry.metrics import EVENT_FAILURES, EVENTS_PUBLISHED

log = logging.getLogger(__name__)

Deliver = Callable[[Sequence[Entry]], Awaitable[None]]

_FIRST_SECONDS, _MOST_SECONDS = 0.5, 60.0
_SWEEP_SECONDS, _NEXT_SECONDS = 30.0, 1.0
_SWEPT = 500
# Older than an entry gets in a pod that lives and a target that answers.
_OLD = timedelta(seconds=60)
# More are left to the sweep: they lie in Cosmos DB anyway.
_ROOM = 5_000
# For what is left when the process ends.
_FLUSH_SECONDS = 10.0


class Relay:
    """Use it as a context; it ends with one last attempt for what is left.

    `deliver` raises RefusedError when the target will never take what it was given, which then is kept as a
    letter, and DependencyError when it is worth another try.
    """

    def __init__(
        self,
        agent: str,
        target: Target,
        deliver: Deliver,
        *,
        outbox: Outbox,
        letters: Letters,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._target, self._deliver, self._outbox, self._letters = target, deliver, outbox, letters
        self._agent, self._clock = agent, clock
        self._waiting: dict[str, Entry] = {}
        self._delivered: dict[str, Entry] = {}
        self._offered = asyncio.Event()
        self._failures = 0
        self._tasks: list[asyncio.Task[None]] = []

    def offer(self, entries: Sequence[Entry]) -> None:
        """Entries that are durable; those of other targets are passed over."""
        for entry in entries:
            mine = entry.target == self._target and entry.id not in self._delivered
            if mine and len(self._waiting) < _ROOM:
                self._waiting[entry.id] = entry
        self._offered.set()

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(keep(f"the relay to {self._target}", self._work)),
            asyncio.create_task(keep(f"the sweep for {self._target}", self._sweep)),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_FLUSH_SECONDS):
                while self._waiting or self._delivered:
                    await self._step()
        except (DependencyError, TimeoutError) as failure:
            left = len(self._waiting) + len(self._delivered)
            log.warning("%d entries for %s are left to other pods: %s", left, self._target, failure)

    async def _work(self) -> None:
        if not (self._waiting or self._delivered):
            self._offered.clear()
            await self._offered.wait()
        try:
            await self._step()
            self._failures = 0
        except DependencyError as error:
            self._failures += 1
            log.warning("%s takes nothing (attempt %d): %s", self._target, self._failures, error)
            await asyncio.sleep(backoff(self._failures, _FIRST_SECONDS, _MOST_SECONDS))

    async def _step(self) -> None:
        """Deliver some of what waits and settle some of what is delivered. Raises DependencyError."""
        await self._send(list(islice(self._waiting.values(), BATCH)))
        done = list(islice(self._delivered.values(), BATCH))
        if done:
            await self._outbox.settle(done, self._clock())
            for entry in done:
                del self._delivered[entry.id]

    async def _send(self, entries: list[Entry]) -> None:
        """Together, or one by one where the target refuses them together. Raises DependencyError."""
        if not entries:
            return
        try:
            await self._deliver(entries)
        except RefusedError as refusal:
            self._count_failure()
            if len(entries) == 1:
                await self._bury(entries[0], refusal)
                self._done(entries)
                return
        except DependencyError:
            self._count_failure()
            raise
        else:
            if self._target == "topic":
                EVENTS_PUBLISHED.labels(self._agent).inc(len(entries))
            self._done(entries)
            return
        for entry in entries:
            await self._send([entry])

    def _done(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._waiting.pop(entry.id, None)
            self._delivered[entry.id] = entry

    async def _bury(self, entry: Entry, refusal: RefusedError) -> None:
        log.error("%s refuses %s for good: %s", self._target, entry.id, refusal)
        text = json.dumps(entry.body, ensure_ascii=False)
        await self._letters.bury(entry.agent, entry.id, text, f"refused by {self._target}: {refusal}")

    def _count_failure(self) -> None:
        if self._target == "topic":
            EVENT_FAILURES.labels(self._agent).inc()

    async def _sweep(self) -> None:
        try:
            found = await self._outbox.pending(self._target, self._clock() - _OLD, _SWEPT)
        except StoreError as error:
            log.warning("the outbox cannot be read: %s", error)
            found = []
        new = [entry for entry in found if entry.id not in self._waiting]
        if new:
            log.info("%d entries for %s were left by others", len(new), self._target)
        self.offer(new)
        # More than one sweep brings are fetched as fast as they are settled.
        seconds = _NEXT_SECONDS if new and len(found) == _SWEPT else _SWEEP_SECONDS
        await asyncio.sleep(backoff(1, seconds, seconds))
