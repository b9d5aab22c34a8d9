"""The CNCF distribution registry that stores one registry's images: its settings, its process, the way to it.

It listens on a unix socket below `Config.run` and knows no users: only the Azure process talks to it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import time
from functools import cache
from pathlib import Path

import httpx

from sandbox.arm.errors import ArmError
from sandbox.azure.containerregistry.folder import Folder, read_json
from sandbox.config import Config
from sandbox.host.files import write_if_changed
from sandbox.services import Program, Supervisor

#: Seconds it may take until it answers.
_START_SECONDS = 30


class Distribution:
    """One registry's backend. `client` is for requests whose paths the registry API defines (`/v2/…`)."""

    def __init__(self, config: Config, name: str) -> None:
        self._config = config
        self._folder = Folder.of(config, name)
        self._program = f"registry-{name.lower()}"
        #: A unix socket's path may have 107 bytes: the longest name in the default state folder has 90.
        self._socket = config.run / f"acr-{name.lower()}.sock"
        self.client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=str(self._socket), limits=httpx.Limits(max_connections=None)
            ),
            base_url="http://registry",
            timeout=httpx.Timeout(60, read=600, write=600, pool=None),
        )

    def _settings(self) -> str:
        """Settings as JSON, which YAML includes. The secret signs the state of uploads: it stays."""
        known = read_json(self._folder.settings).get("http", {}).get("secret")
        settings = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._folder.data)},
                "delete": {"enabled": True},
                "maintenance": {
                    "uploadpurging": {"enabled": True, "age": "168h", "interval": "24h", "dryrun": False}
                },
            },
            "http": {
                "net": "unix",
                "addr": str(self._socket),
                "secret": known or secrets.token_hex(32),
                "relativeurls": True,
            },
            "health": {"storagedriver": {"enabled": False}},
        }
        return json.dumps(settings, indent=1)

    def _define(self) -> Program:
        program = shutil.which("docker-registry", path="/usr/bin:/usr/local/bin:/bin")
        if program is None:
            raise ArmError(
                500,
                "RegistryNotInstalled",
                "The program docker-registry is missing; install Debian's docker-registry.",
            )
        self._folder.data.mkdir(parents=True, exist_ok=True)
        self._config.run.mkdir(parents=True, exist_ok=True)
        write_if_changed(self._folder.settings, self._settings(), mode=0o600)
        command = (program, "serve", str(self._folder.settings))
        return Program(self._program, command, netns=self._config.netns, directory=Path("/"))

    async def start(self, supervisor: Supervisor) -> None:
        """Run it and wait until it answers. Raises ArmError when it does not."""
        await supervisor.start(await asyncio.to_thread(self._define))
        deadline = time.monotonic() + _START_SECONDS
        while not await self.answers():
            if time.monotonic() > deadline:
                raise ArmError(
                    500,
                    "RegistryDidNotStart",
                    f"The registry's storage did not answer in {_START_SECONDS} s: see log {self._program}.",
                )
            await asyncio.sleep(0.05)

    async def answers(self) -> bool:
        try:
            return (await self.client.get("/v2/")).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self, supervisor: Supervisor) -> None:
        await supervisor.stop(self._program)


@cache
def distribution(config: Config, name: str) -> Distribution:
    """The backend of the registry named so (lower case)."""
    return Distribution(config, name)
