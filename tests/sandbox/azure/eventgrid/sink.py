"""A storage data plane that answers as a test tells it and notes down what it was asked."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.sandbox.azure.fakes import Tokens

_TEXT = re.compile(r"<MessageText>([^<]*)</MessageText>")


@dataclass
class Asked:
    host: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    client: str

    @property
    def event(self) -> Any:
        """The event in a queue message."""
        found = _TEXT.search(self.body.decode())
        assert found is not None
        return json.loads(base64.b64decode(found[1]))

    @property
    def caller(self) -> str | None:
        """The object id in the token; None for a request signed with a key."""
        scheme, _, token = self.headers["authorization"].partition(" ")
        if scheme != "Bearer":
            return None
        return Tokens().verify(token, ["https://storage.azure.com"]).object_id


@dataclass
class Sink:
    """`statuses` are given one after the other, the last one again and again; `hold` delays every answer."""

    statuses: list[int] = field(default_factory=lambda: [201])
    asked: list[Asked] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.asked.append(
            Asked(
                request.headers["host"],
                request.method,
                request.url.path,
                request.url.query,
                dict(request.headers),
                await request.body(),
                request.client.host if request.client else "",
            )
        )
        if self.hold is not None:
            await self.hold.wait()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await Response(status_code=status)(scope, receive, send)
