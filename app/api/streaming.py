"""An execution as server-sent events: the model's text as it comes, then the stored execution.

`event: delta` carries `{"text": …}`, provisional: a repair may change it. `event: execution` is last and is
what counts; `event: problem` comes in its place when the run fails after its text has begun.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from app.api import problems
from app.store.executions import Execution

_TYPE = "text/event-stream"
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {_TYPE: {"schema": {"type": "string"}}}, "description": "The stored execution."}
}

Parts = AsyncGenerator[str | Execution, None]


def wanted(request: Request) -> bool:
    """Whether the caller asks for events."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(one.split(";")[0].strip() == _TYPE for one in accepted)


async def answer(request: Request, parts: Parts) -> Response:
    """What fails before the first piece is raised, and so answered with its own status."""
    first = await anext(parts)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, first, parts), headers=headers, media_type=_TYPE)


async def _events(request: Request, first: str | Execution, parts: Parts) -> AsyncIterator[str]:
    async with aclosing(parts):
        yield _event(first)
        try:
            async for part in parts:
                yield _event(part)
        except Exception as error:  # noqa: BLE001 - the status is sent; every error has a problem to tell it
            problem = await problems.answer(request, error)
            yield f"event: problem\ndata: {bytes(problem.body).decode()}\n\n"


def _event(part: str | Execution) -> str:
    if isinstance(part, Execution):
        return f"event: execution\ndata: {part.model_dump_json(by_alias=True)}\n\n"
    return f"event: delta\ndata: {json.dumps({'text': part}, ensure_ascii=False)}\n\n"
