"""What every data plane does first: which resource a host name means, and who asks.

Resources with a host name of their own have names that are unique in the whole cloud, so a name and a type
find one. Each plane words its own refusals.
"""

from __future__ import annotations

from typing import Any, Protocol

from starlette.requests import Request

from sandbox import jsonbody
from sandbox.arm.resource import Resource


class _Resources(Protocol):
    def list(self, *, type: str | None = None, under: str | None = None) -> Any: ...  # noqa: A002

    def deleted(self, type: str) -> Any: ...  # noqa: A002


def host(request: Request) -> str:
    """The host name asked for, without port."""
    return (request.url.hostname or "").lower()


def find(store: _Resources, type_name: str, name: str) -> Resource | None:
    """The live resource of that type and (globally unique) name."""
    return next((r for r in store.list(type=type_name) if r.id.name.lower() == name.lower()), None)


def find_deleted(store: _Resources, type_name: str, name: str) -> Resource | None:
    """The newest soft-deleted resource of that type and name."""
    found = [r for r in store.deleted(type_name) if r.id.name.lower() == name.lower()]
    return found[-1] if found else None


def bearer(request: Request) -> str | None:
    """The token of an `Authorization: Bearer` header; None when there is no such header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object ({} when empty). Raises ValueError that says what is wrong."""
    raw = await jsonbody.read(request)
    if not raw.strip():
        return {}
    jsonbody.check_media_type(request)
    body = jsonbody.parse(raw)
    if not isinstance(body, dict):
        kind = "null" if body is None else type(body).__name__
        raise ValueError(f"a JSON object was expected, not {kind}")  # noqa: TRY004
    return body
