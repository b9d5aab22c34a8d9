"""Dispatch by host name: one port, many endpoints. Implements `services.Router`."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


class HostRouter:
    """Exact names win over `*.suffix`, which stands for one label."""

    def __init__(self) -> None:
        self._apps: dict[str, Any] = {}

    def mount(self, pattern: str, app: Any) -> None:
        """Raises ValueError when two parts claim one name."""
        key = pattern.lower()
        if key in self._apps:
            raise ValueError(f"'{pattern}' is already served by another part of the sandbox")
        self._apps[key] = app

    def find(self, host: str) -> Any | None:
        name = host.lower().partition(":")[0]
        return self._apps.get(name) or self._apps.get("*." + name.partition(".")[2])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            raise ValueError(f"no handler for ASGI scope {scope['type']}")
        host = Headers(scope=scope).get("host", "")
        app = self.find(host)
        if app is None:
            message = f"Nothing in the sandbox answers at '{host}'. A resource of that name may not exist."
            app = JSONResponse({"error": {"code": "MisdirectedRequest", "message": message}}, 421)
        await app(scope, receive, send)
