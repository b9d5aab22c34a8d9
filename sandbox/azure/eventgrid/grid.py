"""Event Grid's delivery as a whole: accept events for a topic, and run a lane for each subscription.

Bound to the event loop that it is first used on. A subscription's lane is opened when the subscription is
provisioned, or resumed after a restart; what is accepted before waits in the journal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid import filters, naming
from sandbox.azure.eventgrid.courier import Courier
from sandbox.azure.eventgrid.formats import TYPE_KEYS, Event
from sandbox.azure.eventgrid.journal import Journal
from sandbox.azure.eventgrid.lane import Lane
from sandbox.azure.eventgrid.letters import Letters
from sandbox.azure.eventgrid.senders import Senders
from sandbox.azure.eventgrid.storage_access import StorageAccess
from sandbox.azure.eventgrid.timing import Clock, Timing, WallClock
from sandbox.services import Services

Matchers = dict[str, tuple[float, filters.Matcher]]
#: States of a subscription that receives events.
_RECEIVING = {"Succeeded", "Updating"}


class Grid:
    def __init__(self, services: Services, clock: Clock | None = None) -> None:
        self._services = services
        self._clock = clock or WallClock()
        self._timing = Timing(services.config.state, self._clock)
        self._journal = Journal(services.config.state / "eventgrid" / "events.db")
        storage = StorageAccess(services)
        self._senders = Senders(services, storage)
        self._letters = Letters(services, storage)
        self._lanes: dict[str, tuple[Lane, asyncio.Task[None]]] = {}
        self._matchers: Matchers = {}

    async def accept(self, topic: Resource, events: Sequence[Event]) -> None:
        """Take events for the subscriptions that want them. Durable when it returns."""
        matchers = self._wanted_by(topic)
        wanted = [(event, [key for key, wants in matchers if wants(event)]) for event in events]
        now = self._clock.now()
        for number, keys in await self._journal.accept(wanted, now):
            for key in keys:
                if key in self._lanes:
                    self._lanes[key][0].add([(now, number)])

    def open(self, subscription: Resource) -> None:
        """Deliver what waits for a subscription, and what comes. Repeatable."""
        key = subscription.id.key
        if key in self._lanes:
            return
        courier = Courier(
            services=self._services,
            subscription=subscription.id,
            journal=self._journal,
            senders=self._senders,
            letters=self._letters,
            timing=self._timing,
        )
        lane = Lane(subscription.id.text, courier, self._clock)
        waiting = self._journal.waiting(key)
        lane.add([(due, number) for number, due, dead in waiting if not dead])
        lane.add_letters([(due, number) for number, due, dead in waiting if dead])
        self._lanes[key] = lane, asyncio.create_task(lane.run(), name=f"lane {subscription.id.name}")

    async def close(self, subscription: Resource) -> None:
        """End the deliveries of a subscription that is deleted, and forget what waits for it."""
        await self._end(subscription.id.key)
        self._matchers.pop(subscription.id.key, None)
        await self._journal.forget(subscription.id.key)

    async def stop(self) -> None:
        for key in list(self._lanes):
            await self._end(key)
        await self._senders.close()
        await asyncio.to_thread(self._journal.close)

    async def _end(self, key: str) -> None:
        found = self._lanes.pop(key, None)
        if found is not None:
            found[1].cancel()
            await asyncio.gather(found[1], return_exceptions=True)

    def _wanted_by(self, topic: Resource) -> list[tuple[str, Callable[[Event], bool]]]:
        type_key = TYPE_KEYS[topic.properties["inputSchema"]]
        receiving = [one for one in naming.subscriptions_of(self._services.store, topic) if _receives(one)]
        return [(one.id.key, self._matcher(one, type_key)) for one in receiving]

    def _matcher(self, subscription: Resource, type_key: str) -> filters.Matcher:
        """Made once per version of a subscription."""
        changed, made = self._matchers.get(subscription.id.key, (0.0, None))
        if made is None or changed != subscription.changed_at:
            made = filters.matcher(subscription.properties.get("filter") or {}, type_key)
            self._matchers[subscription.id.key] = subscription.changed_at, made
        return made


def _receives(subscription: Resource) -> bool:
    properties = subscription.properties
    ends = properties.get("expirationTimeUtc")
    expired = ends is not None and datetime.fromisoformat(ends).timestamp() <= time.time()
    return properties.get("provisioningState") in _RECEIVING and not expired


_GRIDS: dict[Path, Grid] = {}


def grid(services: Services) -> Grid:
    """The one of a sandbox, made at first use."""
    state = services.config.state
    if state not in _GRIDS:
        _GRIDS[state] = Grid(services)
    return _GRIDS[state]


async def stop(services: Services) -> None:
    found = _GRIDS.pop(services.config.state, None)
    if found is not None:
        await found.stop()
