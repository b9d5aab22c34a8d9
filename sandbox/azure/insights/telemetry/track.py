"""Ingestion: `POST https://<region>.in.applicationinsights.…/v2.1/track`.

Each item is taken or refused by itself: 200 when all are taken, 206 when some are, else the status of the
first refusal. An answer of 200 means that the items are on disk.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox import jsonbody
from sandbox.arm.resource import Resource
from sandbox.azure.insights.telemetry import access, envelopes, naming
from sandbox.azure.insights.telemetry.access import Refused
from sandbox.azure.insights.telemetry.envelopes import EnvelopeError
from sandbox.azure.insights.telemetry.records import Record, records
from sandbox.azure.insights.telemetry.warehouse import Warehouse
from sandbox.services import Services

_PATHS = ("/v2/track", "/v2.1/track")


@dataclass(frozen=True)
class Ingestion:
    """ASGI app of every region's endpoint."""

    services: Services
    warehouse: Warehouse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._track(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _track(self, request: Request) -> Response:
        # Connection strings end in a slash, and some senders put another behind it.
        path = "/" + request.url.path.strip("/")
        if path not in _PATHS:
            return _outcome(0, [(0, 404, f"Nothing is served at {path}; telemetry is sent to {_PATHS[1]}.")])
        if request.method != "POST":
            return _outcome(0, [(0, 405, "Telemetry is sent with POST.")])
        try:
            raw = await jsonbody.read(request)
            encoding = request.headers.get("content-encoding", "").strip().lower()
            items = envelopes.parse(envelopes.unpack(raw, encoding))
        except jsonbody.TooLargeError as error:
            return _outcome(0, [(0, 413, str(error))])
        except EnvelopeError as error:
            return _outcome(0, [(0, 400, str(error))])
        taken, refused = self._sort(items, request)
        if taken:
            await asyncio.to_thread(self.warehouse.add, taken)
        return _outcome(len(items), refused)

    def _sort(self, items: list[Any], request: Request) -> tuple[list[Record], list[tuple[int, int, str]]]:
        """What is kept, and what is refused as (index, status, reason)."""
        taken: list[Record] = []
        refused: list[tuple[int, int, str]] = []
        admitted: dict[str, Resource | Refused] = {}
        for index, item in enumerate(items):
            try:
                key = envelopes.key_of(item).lower()
                if key not in admitted:
                    admitted[key] = self._component(key, request)
                found = admitted[key]
                if isinstance(found, Refused):
                    refused.append((index, found.status, found.message))
                else:
                    taken += records(item, found)
            except EnvelopeError as error:
                refused.append((index, 400, str(error)))
        return taken, refused

    def _component(self, key: str, request: Request) -> Resource | Refused:
        component = naming.component_with(self.services.store, "InstrumentationKey", key)
        if component is None:
            return Refused(400, "Invalid instrumentation key")
        try:
            access.may_send(self.services, component, request)
        except Refused as refused:
            return refused
        return component


def _outcome(received: int, refused: list[tuple[int, int, str]]) -> Response:
    accepted = max(received - len(refused), 0)
    status = 200 if not refused else 206 if accepted else refused[0][1]
    body = {
        "itemsReceived": received,
        "itemsAccepted": accepted,
        "appId": None,
        "errors": [
            {"index": index, "statusCode": code, "message": message} for index, code, message in refused
        ],
    }
    return JSONResponse(body, status)
