"""Bodies and ids that the tests of Event Grid share."""

from __future__ import annotations

import time
from typing import Any

from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid import naming
from tests.sandbox.azure.conftest import GROUP, World

TOPIC = f"{naming.TOPIC}/topic-agents-dev"
HOST = "topic-agents-dev.westeurope-1.eventgrid.azure.test"
ENDPOINT = f"https://{HOST}/api/events"
SUBSCRIPTION = f"{TOPIC}/providers/{naming.EXTENSION_SUBSCRIPTION}/sub-notification"
CHILD = f"{TOPIC}/eventSubscriptions/sub-child"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stagentsdev"
QUEUE = f"{ACCOUNT}/queueServices/default/queues/notification"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/deadletters"
QUEUE_WRITE = "Microsoft.Storage/storageAccounts/queueServices/queues/write"
CONTAINER_WRITE = "Microsoft.Storage/storageAccounts/blobServices/containers/write"
#: The object id of the topic's identity.
IDENTITY = "topic-identity"


def topic_body(**properties: Any) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned", "principalId": IDENTITY},
        "properties": {"inputSchema": "CloudEventSchemaV1_0", **properties},
    }


def queue_target(**properties: Any) -> dict[str, Any]:
    at = {"resourceId": ACCOUNT, "queueName": "notification", **properties}
    return {"endpointType": "StorageQueue", "properties": at}


def letter_target() -> dict[str, Any]:
    at = {"resourceId": ACCOUNT, "blobContainerName": "deadletters"}
    return {"endpointType": "StorageBlob", "properties": at}


def subscription_body(**properties: Any) -> dict[str, Any]:
    """Delivered and dead-lettered with the topic's identity, unless said otherwise."""
    identity = {"type": "SystemAssigned"}
    return {
        "properties": {
            "deliveryWithResourceIdentity": {"identity": identity, "destination": queue_target()},
            "deadLetterWithResourceIdentity": {
                "identity": identity,
                "deadLetterDestination": letter_target(),
            },
            **properties,
        }
    }


def event(number: int = 1, **attributes: Any) -> dict[str, Any]:
    made = {"specversion": "1.0", "id": str(number), "source": "/tests", "type": "done"}
    return {**made, "data": {"number": number}, **attributes}


def add_storage(world: World) -> None:
    """An account with a queue and a container, as ARM knows them; whoever makes subscriptions may write."""
    now = time.time()
    for text in (ACCOUNT, QUEUE, CONTAINER):
        world.store.save(Resource(parse_id(text), {"location": "westeurope", "properties": {}}, now, now))
    world.rbac.grant("owner", QUEUE_WRITE, CONTAINER_WRITE, data=False)
