"""The correlation id: taken from the caller when it is well formed, else new; on every answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from app.telemetry.logs import correlation_id
from app.telemetry.operations import note_correlation

HEADER = "x-correlation-id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def correlate(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    given = request.headers.get(HEADER, "")
    value = given if _WELL_FORMED.fullmatch(given) else str(uuid.uuid4())
    correlation_id.set(value)
    note_correlation(value)
    response = await call_next(request)
    response.headers[HEADER] = value
    return response
