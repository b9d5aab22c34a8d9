"""Dead letters: blobs in the container that an event subscription names.

Source: https://learn.microsoft.com/azure/event-grid/manage-event-delivery. A blob holds an array of events
and is called SUBSCRIPTION/year/month/day/hour/guid.json: the subscription's name in capitals, numbers (UTC)
without leading zeros.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid import schedule, settings
from sandbox.azure.eventgrid.formats import Event
from sandbox.azure.eventgrid.storage_access import StorageAccess
from sandbox.services import Services

log = logging.getLogger(__name__)


def blob_name(subscription: str, now: datetime) -> str:
    return f"{subscription.upper()}/{now.year}/{now.month}/{now.day}/{now.hour}/{uuid.uuid4()}.json"


class Letters:
    def __init__(self, services: Services, storage: StorageAccess) -> None:
        self._services = services
        self._storage = storage

    async def write(self, topic: Resource, subscription: Resource, events: Sequence[Event]) -> int:
        """Write one blob; 201 when it is there, 404 when there is no place for it, else what failed."""
        target = settings.dead_letters(subscription.properties)
        account = self._services.store.get(str(target.properties["resourceId"])) if target else None
        if target is None or account is None:
            return 404
        principal = settings.principal(topic, target.identity) if target.identity is not None else None
        if target.identity is not None and principal is None:
            return 401
        name = blob_name(subscription.id.name, datetime.now(UTC))
        body = json.dumps(list(events), ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(schedule.RESPONSE):
                return await self._storage.send(
                    account,
                    "blob",
                    "PUT",
                    f"/{quote(str(target.properties['blobContainerName']))}/{quote(name)}",
                    body,
                    principal=principal,
                    headers=[("content-type", "application/json"), ("x-ms-blob-type", "BlockBlob")],
                )
        except (TimeoutError, httpx.HTTPError) as error:
            log.info("%s: dead letters could not be written: %r", subscription.id, error)
            return 503
