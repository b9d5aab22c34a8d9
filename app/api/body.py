"""The largest request that is taken. Starlette's own limit answers in plain text, this one with a problem."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem


class BodyLimit:
    """Refuses a longer body with 413: at once where its length is announced, else when it has come in."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """`most` in bytes."""
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most:
            await problem(413, "too-large", self._detail)(scope, receive, send)
            return
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413, self._detail)
            return message

        await self._app(scope, limited, send)

    @property
    def _detail(self) -> str:
        return f"The request is larger than {self._most} bytes."
