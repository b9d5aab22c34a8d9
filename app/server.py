"""The HTTP server, and how it leaves without failing a request.

On SIGTERM readiness goes off while requests are still served, so that whoever sends them hears of it first;
kept connections are closed with their next answer. Then the server stops to listen, finishes what it has, and
ends. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

import signal
from types import FrameType

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.readiness import Readiness


class Server(uvicorn.Server):
    """`leave_seconds` pass between SIGTERM and the end of listening. A second signal ends them at once."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness, leave_seconds: float) -> None:
        super().__init__(config)
        self._readiness, self._leave_seconds = readiness, leave_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and not self._readiness.draining:
            self._readiness.drain()
            return
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._readiness.drained_for(self._leave_seconds):
            self.should_exit = True
        return await super().on_tick(counter)


class Leaving:
    """While the process leaves, each answer ends its connection: a proxy opens the next one elsewhere."""

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self._app, self._readiness = app, readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._readiness.draining:
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self._app(scope, receive, closing)
