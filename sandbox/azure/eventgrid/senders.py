"""One attempt to hand events to a destination: a storage queue or a webhook.

Sources: https://learn.microsoft.com/azure/event-grid/handler-storage-queues and
https://learn.microsoft.com/azure/event-grid/receive-events
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid import naming, schedule, settings
from sandbox.azure.eventgrid.delivery_headers import headers_for
from sandbox.azure.eventgrid.formats import CLOUD_EVENTS, Event
from sandbox.azure.eventgrid.journal import Pending
from sandbox.azure.eventgrid.schedule import Outcome
from sandbox.azure.eventgrid.settings import Target
from sandbox.azure.eventgrid.storage_access import StorageAccess
from sandbox.azure.eventgrid.webhooks import webhook_client
from sandbox.services import Services

log = logging.getLogger(__name__)

#: Statuses that stand for an identity the topic no longer has, and for an account that is gone.
_NO_IDENTITY, _NO_ACCOUNT = 401, 404


class Senders:
    def __init__(self, services: Services, storage: StorageAccess) -> None:
        self._services = services
        self._storage = storage
        self._webhooks = webhook_client(services.config)

    async def close(self) -> None:
        await self._webhooks.aclose()

    async def send(
        self, topic: Resource, subscription: Resource, pending: Sequence[Pending], events: Sequence[Event]
    ) -> Outcome:
        """Hand over `events` (`pending` in the schema of the delivery) in one attempt."""
        target = settings.destination(subscription.properties)
        if target is None:
            return schedule.outcome(_NO_ACCOUNT, webhook=False)
        try:
            async with asyncio.timeout(schedule.RESPONSE):
                if target.kind == "StorageQueue":
                    return schedule.outcome(await self._queue(topic, target, events), webhook=False)
                status = await self._webhook(subscription, target, pending, events)
                return schedule.outcome(status, webhook=True)
        except (TimeoutError, httpx.TimeoutException):
            return schedule.TIMED_OUT
        except httpx.HTTPError as error:
            log.info("%s: %r", subscription.id, error)
            return schedule.RESOLUTION_ERROR if _unresolved(error) else schedule.SOCKET_ERROR

    async def _queue(self, topic: Resource, target: Target, events: Sequence[Event]) -> int:
        account = self._services.store.get(str(target.properties["resourceId"]))
        if account is None:
            return _NO_ACCOUNT
        principal = settings.principal(topic, target.identity) if target.identity is not None else None
        if target.identity is not None and principal is None:
            return _NO_IDENTITY
        life = target.properties.get("queueMessageTimeToLiveInSeconds")
        query = f"?messagettl={int(life)}" if life is not None else ""
        path = f"/{quote(str(target.properties['queueName']))}/messages{query}"
        status = _NO_ACCOUNT
        for event in events:
            status = await self._storage.send(
                account,
                "queue",
                "POST",
                path,
                _message(event),
                principal=principal,
                headers=[("content-type", "application/xml")],
            )
        return status

    async def _webhook(
        self,
        subscription: Resource,
        target: Target,
        pending: Sequence[Pending],
        events: Sequence[Event],
    ) -> int:
        batched = batch_size(target) > 1
        schema = subscription.properties["eventDeliverySchema"]
        single = schema == CLOUD_EVENTS and not batched
        body = json.dumps(events[0] if single else list(events), ensure_ascii=False).encode()
        headers = headers_for(
            subscription,
            schema=schema,
            batched=batched,
            attempts=pending[0].attempts,
            origin=naming.domain(self._services.names),
            event=pending[0].event,
        )
        url = str(target.properties["endpointUrl"])
        answer = await self._webhooks.post(url, content=body, headers=headers)
        return answer.status_code


def batch_size(target: Target | None) -> int:
    """Events of one request at most: only webhooks take more than one, where it is asked for."""
    if target is None or target.kind != "WebHook":
        return 1
    return int(target.properties.get("maxEventsPerBatch") or 1)


def _message(event: Event) -> bytes:
    """A queue message; Event Grid writes the event's JSON in base64."""
    text = base64.b64encode(json.dumps(event, ensure_ascii=False).encode()).decode()
    return f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>".encode()


def _unresolved(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def within(events: Sequence[Any], kilobytes: int | None) -> int:
    """How many of the events, from the first, a batch of that preferred size holds; at least one."""
    if kilobytes is None:
        return len(events)
    size = 0
    for count, event in enumerate(events):
        size += len(json.dumps(event, ensure_ascii=False).encode())
        if size > kilobytes * 1024 and count:
            return count
    return len(events)
