"""Containers and queues made or removed in the data plane are ARM resources too, as on Azure."""

from __future__ import annotations

import time

from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource, ResourceId
from sandbox.azure.storage.permissions import Service
from sandbox.azure.storage.views import container_body, queue_body
from sandbox.services import Store

_BELOW = {"blob": "blobServices/default/containers", "queue": "queueServices/default/queues"}


def stored_id(account: Resource, service: Service, name: str) -> ResourceId:
    return parse_id(f"{account.id}/{_BELOW[service]}/{name}")


def follow(store: Store, account: Resource, service: Service, method: str, name: str) -> None:
    """A PUT or DELETE of the container or queue `name` has succeeded."""
    id_ = stored_id(account, service, name)
    if method == "DELETE":
        store.remove(id_)
    elif store.get(id_) is None:
        now = time.time()
        body = container_body({}) if service == "blob" else queue_body({})
        store.save(Resource(id_, body, now, now))
