"""A topic whose subscriptions deliver to a sink in place of storage accounts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid import grid as grids
from sandbox.azure.eventgrid import naming
from sandbox.azure.eventgrid.grid import Grid
from sandbox.azure.eventgrid.subscriptions import ExtensionSubscriptionHandler
from sandbox.azure.eventgrid.topics import TopicHandler
from tests.sandbox.azure.conftest import World, make_world
from tests.sandbox.azure.eventgrid import bodies
from tests.sandbox.azure.eventgrid.clock import StandingClock, eventually
from tests.sandbox.azure.eventgrid.sink import Sink


@dataclass
class Events:
    """Event Grid on the test's own loop, its clock standing still."""

    world: World
    clock: StandingClock
    queues: Sink
    blobs: Sink

    @property
    def grid(self) -> Grid:
        return grids.grid(self.world.services)

    @property
    def topic(self) -> Resource:
        return next(iter(self.world.store.list(type=naming.TOPIC)))

    async def subscribe(self, name: str = "sub-notification", **properties: Any) -> Resource:
        path = bodies.SUBSCRIPTION.replace("sub-notification", name)
        body = bodies.subscription_body(**properties)
        found = await self.world.aput(ExtensionSubscriptionHandler, path, body)
        found.properties["provisioningState"] = "Succeeded"
        self.world.store.save(found)
        return found

    async def publish(self, *numbers: int, **attributes: Any) -> None:
        await self.grid.accept(self.topic, [bodies.event(number, **attributes) for number in numbers])

    async def delivered(self, count: int) -> list[int]:
        """The numbers of the events in the first `count` messages, once there are as many."""
        await eventually(lambda: len(self.queues.asked) >= count, f"{count} attempts")
        return [asked.event["data"]["number"] for asked in self.queues.asked[:count]]

    async def idle(self) -> None:
        """Until every lane waits for its next event, or for time to pass."""
        lanes = len(self.grid._lanes)
        await eventually(
            lambda: (
                len(self.clock.waiting_until) == lanes
                and all(until > self.clock.now() for until in self.clock.waiting_until)
                and not any(
                    lane._attempts or lane._burial or lane._changed.is_set()
                    for lane, _ in self.grid._lanes.values()
                )
            ),
            "idle lanes",
        )

    def letters(self) -> list[Any]:
        return [letter for asked in self.blobs.asked for letter in json.loads(asked.body)]

    async def restart(self) -> None:
        """As after a kill: a new grid on the same journal; subscriptions are resumed."""
        await grids.stop(self.world.services)
        self.start()
        for subscription in naming.subscriptions_of(self.world.store, self.topic):
            await ExtensionSubscriptionHandler(self.world.services).resume(subscription)

    def start(self) -> None:
        grids._GRIDS[self.world.services.config.state] = Grid(self.world.services, self.clock)


@pytest.fixture
async def events(tmp_path: Path) -> AsyncIterator[Events]:
    world = make_world(tmp_path)
    found = Events(world, StandingClock(), Sink(), Sink())
    world.router.mount("*.queue.storage.azure.test", found.queues)
    world.router.mount("*.blob.storage.azure.test", found.blobs)
    found.start()
    bodies.add_storage(world)
    await world.aput(TopicHandler, bodies.TOPIC, bodies.topic_body())
    yield found
    await grids.stop(world.services)
