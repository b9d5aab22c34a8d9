"""One attempt to hand events to a destination: a storage queue or a webhook.

A queue takes one event a message; several are sent side by side. A webhook's batch is one request.

Sources: https://learn.microsoft.com/azure/event-grid/handler-storage-queues and
https://learn.microsoft.com/azure/event-grid/receive-events
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
from collections.abc import Awaitable, Sequence
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

#: Messages that one attempt sends to a queue at once.
_SIDE_BY_SIDE = 8
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
    ) -> list[Outcome]:
        """Hand over `events` (`pending` in the schema of the delivery); how it ended for each."""
        target = settings.destination(subscription.properties)
        if target is None:
            return [schedule.outcome(_NO_ACCOUNT, webhook=False)] * len(events)
        if target.kind == "StorageQueue":
            sent = (self._timely(self._message(topic, target, event), webhook=False) for event in events)
            return list(await asyncio.gather(*sent))
        posted = self._webhook(subscription, target, pending, events)
        return [await self._timely(posted, webhook=True)] * len(events)

    async def _timely(self, attempt: Awaitable[int], *, webhook: bool) -> Outcome:
        """The outcome of an attempt that answers a status."""
        try:
            async with asyncio.timeout(schedule.RESPONSE):
                return schedule.outcome(await attempt, webhook=webhook)
        except (TimeoutError, httpx.TimeoutException):
            return schedule.TIMED_OUT
        except httpx.HTTPError as error:
            log.info("an attempt failed: %r", error)
            return schedule.RESOLUTION_ERROR if _unresolved(error) else schedule.SOCKET_ERROR

    async def _message(self, topic: Resource, target: Target, event: Event) -> int:
        account = self._services.store.get(str(target.properties["resourceId"]))
        if account is None:
            return _NO_ACCOUNT
        principal = settings.principal(topic, target.identity) if target.identity is not None else None
        if target.identity is not None and principal is None:
            return _NO_IDENTITY
        life = target.properties.get("queueMessageTimeToLiveInSeconds")
        query = f"?messagettl={int(life)}" if life is not None else ""
        return await self._storage.send(
            account,
            "queue",
            "POST",
            f"/{quote(str(target.properties['queueName']))}/messages{query}",
            _message(event),
            principal=principal,
            headers=[("content-type", "application/xml")],
        )

    async def _webhook(
        self,
        subscription: Resource,
        target: Target,
        pending: Sequence[Pending],
        events: Sequence[Event],
    ) -> int:
        batched = _batch_size(target) > 1
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


def together(target: Target | None) -> int:
    """Events that are attempted together at most: messages side by side, or a webhook's batch."""
    return _batch_size(target) if target is not None and target.kind == "WebHook" else _SIDE_BY_SIDE


def _batch_size(webhook: Target) -> int:
    """Events of one request at most; more than one only where it is asked for."""
    return int(webhook.properties.get("maxEventsPerBatch") or 1)


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
