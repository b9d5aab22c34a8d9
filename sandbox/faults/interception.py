"""Where faults meet requests: in front of every endpoint, by host name."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import Path, parse
from sandbox.faults import shapes
from sandbox.faults.model import Fault
from sandbox.faults.registry import Faults
from sandbox.held import Replay, outlasts
from sandbox.names import Names


class Faulty:
    """Passes requests on to `app` unless a fault hits them. A request that hangs is passed on afterwards,
    unless its client has gone by then: nothing happened to that one."""

    def __init__(self, app: ASGIApp, faults: Faults, names: Names) -> None:
        self._app = app
        self._faults = faults
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._faults.all():
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "").partition(":")[0].lower()
        plane = None if host == self._names.management else shapes.plane_of(self._names, host)
        fault = self._of_arm(scope) if host == self._names.management else self._of_plane(scope, host, plane)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.effect == "hang":
            again = Replay(receive)
            if await outlasts(again, asyncio.sleep(fault.hang)):
                await self._app(scope, again, send)
        elif fault.effect == "cut":
            await _cut(send)
        else:
            shape = shapes.arm if plane is None else shapes.PLANES[plane][1]
            await shape(fault)(scope, receive, send)

    def _of_arm(self, scope: Scope) -> Fault | None:
        try:
            path = parse(scope["path"])
        except ArmError:
            return None
        type_name, names = _resource(path, scope["method"])
        if not names:
            return None
        return self._faults.resource(scope["method"], type_name, names[-1], "status", "hang", "cut")

    def _of_plane(self, scope: Scope, host: str, plane: str | None) -> Fault | None:
        if plane is None:
            return None
        return self._faults.request(plane, scope["method"], host, scope["path"])


def _resource(path: Path, method: str) -> tuple[str, tuple[str, ...]]:
    """Type and names of the resource that a request is for; an action's is the one it acts on."""
    if path.is_resource:
        return path.type, path.names
    if method == "POST":
        return "/".join((path.namespace, *path.types[:-1])), path.names
    return path.type, ()


async def _cut(send: Send) -> None:
    """An answer that is announced and does not come: the server then closes the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
