"""A supervisor that really runs its programs, and a server whose one event loop also runs the handlers.

Services whose data planes keep connections to processes of theirs are bound to one loop, as in the sandbox.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from sandbox.services import Program
from tests.sandbox.azure.fakes import Authority

T = TypeVar("T")


@dataclass
class LocalSupervisor:
    """Runs programs as children, in the network namespace the tests are in; restarts what has died when "
    "asked."""

    logs: Path
    programs: dict[str, tuple[Program, subprocess.Popen[bytes]]] = field(default_factory=dict)

    async def start(self, program: Program) -> None:
        known = self.programs.get(program.name)
        if known and known[0] == program and known[1].poll() is None:
            return
        await self.stop(program.name)
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{program.name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: ASYNC220  # it does not wait
                program.command,
                cwd=program.directory,
                env=dict(program.env) if program.env is not None else None,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.programs[program.name] = (program, process)

    async def stop(self, name: str) -> None:
        known = self.programs.pop(name, None)
        if known is not None:
            known[1].terminate()
            known[1].wait(10)

    async def status(self) -> Mapping[str, str]:
        return {name: "RUNNING" if p.poll() is None else "BACKOFF" for name, (_, p) in self.programs.items()}

    def process(self, name: str) -> subprocess.Popen[bytes]:
        return self.programs[name][1]

    def close(self) -> None:
        for _, process in self.programs.values():
            process.kill()
            process.wait(10)


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
