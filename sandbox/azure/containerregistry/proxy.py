"""Hands requests of the registry API to the distribution registry, streaming bodies both ways."""

from __future__ import annotations

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sandbox.azure.containerregistry import replies

#: Headers that concern one connection, not the message (RFC 9110 section 7.6.1), or are for us alone.
_OWN = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "authorization"}
)


def _kept(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.decode("latin-1").lower() not in _OWN]


async def forward(client: httpx.AsyncClient, request: Request, *, query: str | None = None) -> Response:
    """Send the request on, with another query string if given, and answer what comes back."""
    has_body = "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    query = request.url.query if query is None else query
    url = httpx.URL(request.url.path).copy_with(query=query.encode() or None)
    outgoing = client.build_request(
        request.method,
        url,
        headers=_kept(request.headers.raw),
        content=request.stream() if has_body else None,
    )
    try:
        incoming = await client.send(outgoing, stream=True)
    except httpx.TransportError as error:
        return replies.error(
            503, "UNAVAILABLE", f"the registry's storage does not answer: {error or type(error)}"
        )
    response = StreamingResponse(
        incoming.aiter_raw(), incoming.status_code, background=BackgroundTask(incoming.aclose)
    )
    response.raw_headers = _kept(incoming.headers.raw)
    return response
