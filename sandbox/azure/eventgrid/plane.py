"""The publishing endpoint: `POST https://<topic>.<region>-1.eventgrid.…/api/events`.

Source: https://learn.microsoft.com/azure/event-grid/post-to-custom-topic. An answer of 200 means that the
events are on disk, for every subscription that wants them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox import jsonbody
from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import host
from sandbox.azure.eventgrid import authentication, cloudevents, errors, firewall, gridevents, naming
from sandbox.azure.eventgrid.errors import EventGridError
from sandbox.azure.eventgrid.formats import CLOUD_EVENTS, Event
from sandbox.azure.eventgrid.grid import grid
from sandbox.services import Services

#: Bytes of a request, and so of an event. Source: https://learn.microsoft.com/azure/event-grid/quotas-limits
LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Plane:
    """ASGI app of every topic's endpoint."""

    services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._publish(Request(scope, receive))
        except EventGridError as error:
            response = error.response()
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _publish(self, request: Request) -> Response:
        topic = naming.topic_at(self.services.store, host(request))
        if topic is None or request.url.path.rstrip("/").lower() != "/api/events":
            raise errors.not_found(str(request.url.replace(query="")))
        if request.method != "POST":
            raise errors.wrong_method(request.method)
        firewall.require(self.services, topic, request)
        authentication.authenticate(self.services, topic, request)
        try:
            raw = await jsonbody.read(request, LIMIT)
        except jsonbody.TooLargeError as error:
            raise errors.too_large(LIMIT) from error
        await grid(self.services).accept(topic, _events(topic, request, raw))
        return Response(headers={"x-ms-request-id": str(uuid.uuid4()), **errors.VERSIONS})


def _events(topic: Resource, request: Request, raw: bytes) -> list[Event]:
    if topic.properties["inputSchema"] == CLOUD_EVENTS:
        return cloudevents.parse(request.headers, raw)
    return gridevents.parse(raw, topic.id.text)
