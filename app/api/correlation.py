"""The correlation id: taken from the caller when it is well formed, else new; on every answer."""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.logs import correlation_id
from app.telemetry.operations import note_correlation

HEADER = "x-correlation-id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Correlated:
    """Puts the id where logs and spans find it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        value = given if _WELL_FORMED.fullmatch(given) else str(uuid.uuid4())
        note_correlation(value)

        async def with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = value
            await send(message)

        token = correlation_id.set(value)
        await self._app(scope, receive, with_header)
        # Of a request that failed it stays: who logs the failure comes later, in the same context.
        correlation_id.reset(token)
