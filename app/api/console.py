"""The web console at `/`: static files of this package, which use the API as any other client does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request, Response

_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "api.js": "text/javascript; charset=utf-8",
}
#: Nothing from elsewhere, nothing inline, in nobody's frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def router(agents: Sequence[str]) -> APIRouter:
    """`agents` are those that it lists.

    Public, for it holds nothing: what it shows comes from the API, which asks for a token where it must.
    """
    routes = APIRouter(include_in_schema=False)
    found = {name: files("app.console").joinpath(name).read_bytes() for name in _TYPES}

    def answer(request: Request, name: str) -> Response:
        tag = f'"{hashlib.sha256(found[name]).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(found[name], media_type=_TYPES[name], headers=headers)

    @routes.get("/")
    async def page(request: Request) -> Response:
        return answer(request, "index.html")

    @routes.get("/console/agents")
    async def listed() -> dict[str, list[str]]:
        return {"agents": list(agents)}

    @routes.get("/console/{name}")
    async def asset(request: Request, name: str) -> Response:
        if name not in found:
            raise HTTPException(404, f"The console has no {name}.")
        return answer(request, name)

    return routes
