"""Types, host names and how a topic and its event subscriptions find each other."""

from __future__ import annotations

from sandbox.arm.ids import parent
from sandbox.arm.resource import Resource, ResourceId
from sandbox.config import REGIONS
from sandbox.names import Names
from sandbox.services import Store

TOPIC = "Microsoft.EventGrid/topics"
#: An extension of a topic, as `az eventgrid event-subscription` makes them …
EXTENSION_SUBSCRIPTION = "Microsoft.EventGrid/eventSubscriptions"
#: … and a child of it. Both receive the topic's events; they are resources of their own.
TOPIC_SUBSCRIPTION = "Microsoft.EventGrid/topics/eventSubscriptions"


def domain(names: Names) -> str:
    """What all endpoints lie below; also the origin that webhooks are asked to allow."""
    return names.service("eventgrid")


def host(names: Names, topic: str, region: str) -> str:
    return f"{topic}.{region}-1.{domain(names)}".lower()


def patterns(names: Names) -> list[str]:
    """The wildcards that stand for every topic's host name."""
    return [f"*.{region}-1.{domain(names)}" for region in REGIONS]


def endpoint(names: Names, topic: str, region: str) -> str:
    return f"https://{host(names, topic, region)}/api/events"


def topic_named(store: Store, name: str, region: str | None) -> Resource | None:
    """Names are unique in a region only."""
    return next(
        (
            topic
            for topic in store.list(type=TOPIC)
            if topic.id.name.lower() == name.lower() and topic.location == region
        ),
        None,
    )


def topic_at(store: Store, asked: str) -> Resource | None:
    """The topic whose endpoint has this host name."""
    name, _, rest = asked.partition(".")
    return topic_named(store, name, rest.partition("-1.")[0])


def topic_of(store: Store, subscription: ResourceId) -> Resource | None:
    """The topic that an event subscription belongs to; None when its scope is something else."""
    above = parent(subscription)
    if above is None or above.type.lower() != TOPIC.lower():
        return None
    return store.get(above)


def subscriptions_of(store: Store, topic: Resource) -> list[Resource]:
    kinds = (EXTENSION_SUBSCRIPTION, TOPIC_SUBSCRIPTION)
    return [found for kind in kinds for found in store.list(type=kind, under=topic.id.text)]
