"""What becomes of one subscription's events: delivered, tried again, written as dead letters, or dropped.

Source of the rules: https://learn.microsoft.com/azure/event-grid/delivery-and-retry. Azure's probation of
destinations that keep failing (attempts put off or left out "opportunistically") is left out.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.arm.resource import Resource, ResourceId
from sandbox.azure.eventgrid import naming, schedule, settings
from sandbox.azure.eventgrid.formats import Letter, dead, delivered
from sandbox.azure.eventgrid.journal import Attempted, Journal, Pending
from sandbox.azure.eventgrid.lane import Due
from sandbox.azure.eventgrid.letters import Letters
from sandbox.azure.eventgrid.schedule import Outcome
from sandbox.azure.eventgrid.senders import Senders, together, within
from sandbox.azure.eventgrid.timing import Timing
from sandbox.services import Services

log = logging.getLogger(__name__)

#: Seconds between looks at a topic whose region is down: it delivers nothing and forgets nothing.
_AWAY = 5.0
_EXPIRED, _EXHAUSTED = "TimeToLiveExceeded", "MaxDeliveryAttemptsExceeded"


@dataclass(frozen=True)
class Courier:
    """The `Work` of a lane."""

    services: Services
    subscription: ResourceId
    journal: Journal
    senders: Senders
    letters: Letters
    timing: Timing

    def batch(self) -> int:
        found = self.services.store.get(self.subscription)
        return together(settings.destination(found.properties)) if found is not None else 1

    async def attempt(self, numbers: Sequence[int]) -> tuple[list[Due], list[Due]]:
        subscription, topic = self._resources()
        if subscription is None or topic is None:
            return [], []  # being deleted, with what it waits for
        now = self.timing.now()
        if self.services.regions.is_down(topic.location):
            due = now + self.timing.scaled(_AWAY)
            return [(due, number) for number in numbers], []
        expires = self.timing.scaled(settings.time_to_live(subscription.properties))
        pending = self.journal.pending(self.subscription.key, numbers)
        expired = [one for one in pending if now - one.published > expires]
        letters = await self._give_up(subscription, [_expired(one, now) for one in expired])
        alive, later = self._fitting(subscription, [one for one in pending if one not in expired])
        again = [(now, one.number) for one in later]
        if alive:
            failed, more = await self._deliver(topic, subscription, alive)
            again, letters = again + failed, letters + more
        return again, letters

    async def bury(self, numbers: Sequence[int]) -> list[Due]:
        subscription, topic = self._resources()
        if subscription is None or topic is None:
            return []
        pending = self.journal.pending(self.subscription.key, numbers)
        schema = str(subscription.properties["eventDeliverySchema"])
        status = await self.letters.write(
            topic, subscription, [dead(one.event, schema, _letter(one)) for one in pending]
        )
        if status == 201:
            await self.journal.finish(self.subscription.key, numbers)
            return []
        now = self.timing.now()
        patience = self.timing.scaled(schedule.LETTER_PATIENCE)
        lost = [one.number for one in pending if status == 404 or now - (one.last_attempt or now) > patience]
        if lost:
            log.warning("%s: %d dead letters are dropped (status %d)", self.subscription, len(lost), status)
            await self.journal.finish(self.subscription.key, lost)
        due = now + self.timing.scaled(schedule.LETTER_PAUSE)
        return [(due, one.number) for one in pending if one.number not in lost]

    async def _deliver(
        self, topic: Resource, subscription: Resource, pending: list[Pending]
    ) -> tuple[list[Due], list[Due]]:
        schema = str(subscription.properties["eventDeliverySchema"])
        events = [delivered(one.event, schema) for one in pending]
        try:
            outcomes = await self.senders.send(topic, subscription, pending, events)
        except Exception:  # whatever it was, the events are tried again by the schedule
            log.exception("%s: an attempt was aborted", self.subscription)
            outcomes = [Outcome("Aborted")] * len(pending)
        ended = list(zip(pending, outcomes, strict=True))
        arrived = [one.number for one, outcome in ended if outcome.delivered]
        if arrived:
            await self.journal.finish(self.subscription.key, arrived)
        most = settings.attempts(subscription.properties)
        tried = [self._tried(one, outcome, most) for one, outcome in ended if not outcome.delivered]
        return await self._failed(subscription, tried)

    async def _failed(self, subscription: Resource, tried: list[Attempted]) -> tuple[list[Due], list[Due]]:
        if not tried:
            return [], []
        log.info("%s: %d events not delivered: %s", self.subscription, len(tried), tried[0].outcome)
        again = [one for one in tried if one.reason is None]
        if again:
            await self.journal.record(self.subscription.key, again)
        letters = await self._give_up(subscription, [one for one in tried if one.reason is not None])
        return [(one.due, one.number) for one in again], letters

    def _tried(self, pending: Pending, outcome: Outcome, most: int) -> Attempted:
        now, attempts = self.timing.now(), pending.attempts + 1
        reason = outcome.final or (_EXHAUSTED if attempts >= most else None)
        jitter = random.random()  # noqa: S311  (spreads retries)
        due = now + self.timing.scaled(schedule.pause(attempts, outcome.shortest, jitter))
        return Attempted(pending.number, due, attempts, now, outcome.name, reason)

    async def _give_up(self, subscription: Resource, tried: list[Attempted]) -> list[Due]:
        """Make dead letters of them, or drop them where there is no place for those."""
        if not tried:
            return []
        if settings.dead_letters(subscription.properties) is None:
            log.warning("%s: %d events are dropped: %s", self.subscription, len(tried), tried[0].reason)
            await self.journal.finish(self.subscription.key, [one.number for one in tried])
            return []
        due = self.timing.now() + self.timing.scaled(schedule.LETTER_DELAY)
        letters = [
            Attempted(one.number, due, one.attempts, one.last_attempt, one.outcome, one.reason)
            for one in tried
        ]
        await self.journal.record(self.subscription.key, letters)
        return [(due, one.number) for one in letters]

    def _fitting(self, subscription: Resource, pending: list[Pending]) -> tuple[list[Pending], list[Pending]]:
        """What one request may hold, and the rest."""
        target = settings.destination(subscription.properties)
        kilobytes: Any = target.properties.get("preferredBatchSizeInKilobytes") if target else None
        count = within([one.event for one in pending], int(kilobytes) if kilobytes else None)
        return pending[:count], pending[count:]

    def _resources(self) -> tuple[Resource | None, Resource | None]:
        store = self.services.store
        return store.get(self.subscription), naming.topic_of(store, self.subscription)


def _expired(pending: Pending, now: float) -> Attempted:
    last = pending.last_attempt or now
    return Attempted(pending.number, now, pending.attempts, last, pending.outcome or "NotAttempted", _EXPIRED)


def _letter(pending: Pending) -> Letter:
    return Letter(
        reason=pending.reason or _EXHAUSTED,
        attempts=pending.attempts,
        outcome=pending.outcome or "",
        published=pending.published,
        last_attempt=pending.last_attempt or pending.published,
    )
