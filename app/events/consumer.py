"""The consumer: works through an agent's queue. Every message at least once, every event once.

A message is deleted only after its event was handled and marked, so a pod may die at any moment: what it had
becomes visible to others again. What cannot be processed is kept as a letter, with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from prometheus_client import Counter

from app.background import backoff, keep, rest
from app.dependency import DependencyError
from app.events.event import Event, MalformedError, parse
from app.events.handling import AttemptError, Handler, UnprocessableError
from app.events.queue import Message
from app.llm.metering import OverBudget
from app.settings import ConsumerSettings
from app.store.errors import StoreError
from app.store.letters import Letters
from app.store.markers import Markers
from app.telemetry.logs import correlation_id

log = logging.getLogger(__name__)

CONSUMED = Counter(
    "events_consumed_total", "Messages taken from the queue, by what became of them.", ["agent", "outcome"]
)

# A message stays hidden for as long as handling it may take, and what is done before and after.
_MARGIN_SECONDS = 30.0
# One failure is the message's bad luck; so many in a row, with no success between them, are an outage.
_OUTAGE = 3
_FIRST_PAUSE, _MOST_PAUSE = 1.0, 60.0


class Inbox(Protocol):
    """The queue, as far as consuming needs it; see `Queue`."""

    async def receive(self, most: int, hidden_seconds: float) -> list[Message]: ...

    async def delete(self, message: Message) -> None: ...


class Outcome(StrEnum):
    """What became of a message: gone, or left to be taken again."""

    HANDLED = "handled"
    DUPLICATE = "duplicate"
    POISON = "poison"
    FAILED = "failed"
    DEFERRED = "deferred"


class Consumer:
    """Use it as a context: leaving it takes no more messages, and finishes those in work.

    While something that handling needs is away, or the day's tokens are used up, messages wait in the queue
    instead of being taken, failed and in the end put aside.
    """

    def __init__(
        self,
        agent: str,
        *,
        inbox: Inbox,
        handler: Handler,
        markers: Markers,
        letters: Letters,
        settings: ConsumerSettings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._agent, self._inbox, self._handler = agent, inbox, handler
        self._markers, self._letters = markers, letters
        self._settings, self._clock = settings, clock
        self._working: set[asyncio.Task[None]] = set()
        #: Of the events in work.
        self._keys: set[str] = set()
        self._failures, self._resume = 0, 0.0
        self._stopping = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(keep("the consumer", self._take, self._stopping))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        # What is taken from the queue just now is worked on too, or it would be hidden for no reason.
        if self._loop:
            await self._loop
        # Handling has its own deadline, so this has too.
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _take(self) -> None:
        """Take as many messages as there are hands for; after a failure one, which tells how things are."""
        await self._a_hand_is_free()
        await rest(self._resume - asyncio.get_running_loop().time(), self._stopping)
        if self._stopping.is_set():
            return
        careful = self._failures >= _OUTAGE
        most = 1 if careful else self._settings.concurrency - len(self._working)
        try:
            messages = await self._inbox.receive(most, self._settings.handle_seconds + _MARGIN_SECONDS)
        except DependencyError as error:
            self._fail(f"the queue does not answer: {error}")
            return
        begun = [self._begin(message) for message in messages]
        if not begun:
            await rest(self._settings.poll_seconds, self._stopping)
        elif careful:
            await asyncio.wait(begun)

    async def _a_hand_is_free(self) -> None:
        if len(self._working) >= self._settings.concurrency:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)

    def _begin(self, message: Message) -> asyncio.Task[None]:
        task = asyncio.create_task(self._work(message))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _work(self, message: Message) -> None:
        try:
            outcome = await self._process(message)
        except StoreError as error:
            self._fail(f"Cosmos DB does not answer: {error}")
            outcome = Outcome.DEFERRED
        except DependencyError as error:
            # Handled and marked, or put aside: it comes again and is known.
            log.warning("message %s could not be deleted: %s", message.id, error)
            outcome = Outcome.DEFERRED
        except Exception:
            log.exception("message %s failed", message.id)
            outcome = Outcome.FAILED
        CONSUMED.labels(self._agent, outcome.value).inc()

    async def _process(self, message: Message) -> Outcome:
        """Raises StoreError when it could not be marked or kept, DependencyError when not deleted."""
        try:
            event = parse(message.text())
        except MalformedError as error:
            return await self._bury(message, f"not a CloudEvent: {error}")
        except ValueError as error:
            return await self._bury(message, str(error))
        correlation_id.set(event.correlation_id)
        if event.hops > self._settings.max_hops:
            return await self._bury(
                message, f"{event.hops} events led to it; at most {self._settings.max_hops} may"
            )
        if event.key in self._keys:
            # Delivered twice at the same time: when this one comes again, the other is done.
            return Outcome.DEFERRED
        self._keys.add(event.key)
        try:
            return await self._once(message, event)
        finally:
            self._keys.remove(event.key)

    async def _once(self, message: Message, event: Event) -> Outcome:
        if await self._markers.seen(event.key):
            await self._inbox.delete(message)
            return Outcome.DUPLICATE
        outcome = await self._attempt(message, event)
        if outcome is Outcome.HANDLED:
            self._failures = 0
            await self._markers.mark(event.key)
            await self._inbox.delete(message)
        return outcome

    async def _attempt(self, message: Message, event: Event) -> Outcome:
        """Handle it, unless that was tried too often. Only what comes again is counted.

        It is counted before, so that an event which brings pods down is put aside too. That something else
        was away is not held against it.
        """
        counted = message.taken > 1
        if counted and (attempts := await self._markers.count(event.key)) >= self._settings.max_dequeues:
            # Replayed, it has as many attempts again.
            await self._markers.forgive(event.key)
            return await self._bury(message, f"{attempts} attempts failed")
        outcome = await self._handle(message, event)
        if counted and outcome is Outcome.DEFERRED:
            await self._markers.discount(event.key)
        return outcome

    async def _handle(self, message: Message, event: Event) -> Outcome:
        try:
            async with asyncio.timeout(self._settings.handle_seconds):
                await self._handler(event)
        except UnprocessableError as error:
            return await self._bury(message, str(error))
        except OverBudget as error:
            wait = (error.resets_at - self._clock()).total_seconds()
            self._pause(wait, str(error))
            return Outcome.DEFERRED
        except AttemptError as error:
            log.warning("event %s: %s", event.id, error)
            return Outcome.FAILED
        except DependencyError as error:
            self._fail(f"event {event.id} has to wait: {error}")
            return Outcome.DEFERRED
        except TimeoutError:
            log.warning("event %s was not handled within %g s", event.id, self._settings.handle_seconds)
            return Outcome.FAILED
        return Outcome.HANDLED

    async def _bury(self, message: Message, reason: str) -> Outcome:
        """Keep it, then delete it."""
        log.error("message %s is put aside: %s", message.id, reason)
        try:
            text = message.text()
        except ValueError:
            text = message.content
        await self._letters.bury(self._agent, message.id, text, reason)
        await self._inbox.delete(message)
        return Outcome.POISON

    def _fail(self, why: str) -> None:
        """Something is away; take nothing for a while if it has been for longer, the longer the more."""
        self._failures += 1
        if self._failures < _OUTAGE:
            log.warning("%s", why)
        else:
            self._pause(backoff(self._failures - _OUTAGE + 1, _FIRST_PAUSE, _MOST_PAUSE), why)

    def _pause(self, seconds: float, why: str) -> None:
        log.warning("no messages are taken for %.1f s: %s", seconds, why)
        self._resume = max(self._resume, asyncio.get_running_loop().time() + seconds)
