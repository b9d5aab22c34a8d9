"""A server whose one event loop also runs the handlers.

Services whose data planes keep connections to processes of theirs are bound to one loop, as in the sandbox.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from tests.sandbox.azure.fakes import Authority

T = TypeVar("T")


class Server:
    """HTTPS on a loopback port for an ASGI app; `call` runs a coroutine on its loop."""

    def __init__(self, app: Any, authority: Authority, names: tuple[str, ...], folder: Path) -> None:
        chain, key = folder / "server.pem", folder / "server.key"
        certificate, private = authority.issue(names)
        chain.write_text(certificate)
        key.write_text(private)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        config = uvicorn.Config(
            app, ssl_certfile=str(chain), ssl_keyfile=str(key), log_level="warning", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert self._thread.is_alive(), "the server ended at once"
            assert time.monotonic() < deadline, "the server did not start"
            self._thread.join(0.01)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve([self._listener])

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def close(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
