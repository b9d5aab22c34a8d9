"""One Azurite process per storage account, in the sandbox's namespace: its program, ports, folder and keys.

Azurite by itself writes its indexes every five seconds; `durable.cjs` makes it do so before it answers, so
that a kill loses nothing that was acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.storage import sharedkey
from sandbox.config import Config
from sandbox.services import Program, Services

#: Below the ports that the kernel gives to outgoing connections.
_FIRST_PORT, _LAST_PORT = 25_000, 29_997
_START_SECONDS = 180
_LOOK = 0.05
_ADDRESS = "127.0.0.1"
_DURABLE = Path(__file__).with_name("durable.cjs")


@dataclass(frozen=True)
class Ports:
    blob: int
    queue: int
    table: int

    def of(self, service: str) -> int:
        return int(getattr(self, service))


class Azurite:
    """The process behind one account."""

    def __init__(self, services: Services, account: Resource) -> None:
        self._services = services
        self._account = account
        self.name = account.id.name
        self._folder = services.config.state / "storage" / self.name

    def ports(self) -> Ports | None:
        """Where it listens; None before its first start."""
        return _read(self._folder / "ports.json")

    async def start(self) -> None:
        """Idempotent. Raises ArmError when it does not answer in time."""
        ports = self.ports()
        if ports is None:
            ports = await asyncio.to_thread(self._choose_ports)
        await self._services.supervisor.start(self._program(ports))
        deadline = time.monotonic() + _START_SECONDS
        for service in ("blob", "queue"):
            while not await _answers(ports.of(service)):
                if time.monotonic() > deadline:
                    raise ArmError(
                        500,
                        "InternalServerError",
                        f"The storage server of '{self.name}' did not answer in {_START_SECONDS} s; see "
                        f"{self._services.config.logs / self._program_name}.log.",
                    )
                await asyncio.sleep(_LOOK)

    async def remove(self) -> None:
        """End it and forget its data."""
        await self._services.supervisor.stop(self._program_name)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def call(
        self,
        client: httpx.AsyncClient,
        service: str,
        method: str,
        target: str,
        headers: sharedkey.Headers = (),
    ) -> httpx.Response:
        """A signed request of our own, e.g. to make a container."""
        ports = self.ports()
        if ports is None:
            raise ArmError(
                409, "StorageAccountIsNotProvisioned", f"The storage account '{self.name}' is not ready."
            )
        host = f"{self.name}.{service}.{self._services.names.service('storage')}"
        own = [("host", host), ("x-ms-version", "2021-12-02"), ("content-length", "0")]
        signed = self.sign(method, target, [*own, *headers])
        url = f"http://{_ADDRESS}:{ports.of(service)}{target}"
        return await client.send(httpx.Request(method, url, headers=signed))

    def sign(self, method: str, target: str, headers: sharedkey.Headers) -> list[tuple[str, str]]:
        key = account_keys(self._services.config.state).get(self._account, 1)
        return sharedkey.sign(self.name, key, method, target, headers)

    @property
    def _program_name(self) -> str:
        return f"azurite-{self.name}"

    def _program(self, ports: Ports) -> Program:
        keys = account_keys(self._services.config.state)
        pair = ":".join(keys.get(self._account, slot) for slot in (1, 2))
        return Program(
            name=self._program_name,
            command=_command(self._services.config, self._folder, ports),
            netns=self._services.config.netns,
            env={"AZURITE_ACCOUNTS": f"{self.name}:{pair}"},
            directory=self._folder,
        )

    def _choose_ports(self) -> Ports:
        self._folder.mkdir(parents=True, exist_ok=True)
        others = [_read(path) for path in self._folder.parent.glob("*/ports.json")]
        taken = {port for ports in others if ports is not None for port in vars(ports).values()}
        free = (port for port in range(_FIRST_PORT, _LAST_PORT) if port not in taken and _is_free(port))
        ports = Ports(next(free), next(free), next(free))
        with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False) as file:
            json.dump(vars(ports), file)
        Path(file.name).rename(self._folder / "ports.json")
        return ports


def _command(config: Config, folder: Path, ports: Ports) -> Sequence[str]:
    node = shutil.which("node") or "/usr/bin/node"
    listen = [
        option
        for service in ("blob", "queue", "table")
        for option in (f"--{service}Host", _ADDRESS, f"--{service}Port", str(ports.of(service)))
    ]
    # Its version check lags behind the newest SDKs; what a version adds is refused where it is not known.
    switches = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    program = [node, "-r", os.fspath(_DURABLE), os.fspath(config.cache / "bin" / "azurite")]
    return [*program, *listen, "--location", str(folder), *switches]


def _read(path: Path) -> Ports | None:
    try:
        return Ports(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((_ADDRESS, port))
        except OSError:
            return False
    return True


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(_ADDRESS, port)
    except OSError:
        return False
    writer.close()
    return True
