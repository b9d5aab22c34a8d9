"""The smallest HTTP application that uvicorn serves: a function from requests to answers.

A framework would cost as much as what is measured.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import uvicorn

_JSON = "application/json"
Headers = Mapping[bytes, bytes]


@dataclass(frozen=True)
class Request:
    """`path` is decoded; header names are in lower case; `query` holds each parameter's first value."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The header's value, empty when there is none."""
        return self.headers.get(name.encode(), b"").decode("latin-1")


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    content_type: str = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[[Request], Awaitable[Answer]]


def answer_json(value: Any, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    return Answer(json.dumps(value).encode(), status, _JSON, headers)


def application(handler: Handler) -> Callable[..., Awaitable[None]]:
    """`handler` as ASGI 3. Lifespan is refused, which servers take for "there is none"."""

    async def app(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        answer = await handler(
            Request(
                method=scope["method"],
                path=unquote(scope["path"]),
                query={name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()},
                headers=dict(scope["headers"]),
                body=await _body(receive),
            )
        )
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def serve(handler: Handler, port: int, certificate: Path | None = None) -> None:
    """On loopback, until it is ended; with `certificate` (chain and key in one PEM file) over TLS."""
    uvicorn.run(
        application(handler),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=str(certificate) if certificate else None,
    )
