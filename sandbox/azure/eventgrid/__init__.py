"""Azure Event Grid: custom topics, event subscriptions, publishing and durable delivery."""

from __future__ import annotations

from sandbox.azure.eventgrid import grid, naming
from sandbox.azure.eventgrid.plane import Plane
from sandbox.azure.eventgrid.subscriptions import ExtensionSubscriptionHandler, TopicSubscriptionHandler
from sandbox.azure.eventgrid.topics import TopicHandler
from sandbox.services import Services

HANDLERS = (TopicHandler, ExtensionSubscriptionHandler, TopicSubscriptionHandler)


def mount(services: Services) -> None:
    plane = Plane(services)
    for pattern in naming.patterns(services.names):
        services.router.mount(pattern, plane)


async def stop(services: Services) -> None:
    await grid.stop(services)
