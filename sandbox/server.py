"""The process `azure`: serves every endpoint of the local Azure over HTTPS on one address.

    python -m sandbox.server [--state FOLDER] [--listen ADDRESS:PORT]

It ends on SIGTERM once the requests under way are answered. Killed, it goes on where it was when it starts
again.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import uvicorn

from sandbox.arm.known import catalogue
from sandbox.cloud import Cloud, Outside
from sandbox.config import Config
from sandbox.control import Control
from sandbox.control import path as control_path
from sandbox.host.ca import Authority
from sandbox.host.hosts import HostNames
from sandbox.host.supervisor import AsyncSupervisor
from sandbox.host.tls import ssl_context
from sandbox.network.fabric import Fabric

#: Of the namespace that the process lives in: the gateway's, and each private endpoint's.
_EVERYWHERE = "0.0.0.0"  # noqa: S104
#: Seconds that requests under way may take to end when the server stops.
_GRACE = 5
#: Seconds between looks at them.
_LOOK = 0.05
#: Seconds that a connection may idle; longer than clients' pools keep theirs.
_KEEP_ALIVE = 75
#: Services whose resources have a host name each: one wildcard certificate covers them.
_SERVICES = ("vault", "documents", "azurecr", "openai", "blob.storage", "queue.storage", "table.storage")


class Server(uvicorn.Server):
    """uvicorn, with the cloud brought to life around it."""

    def __init__(self, config: uvicorn.Config, cloud: Cloud, control: Control | None = None) -> None:
        super().__init__(config)
        self._cloud = cloud
        self._control = control
        self._resuming: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._cloud.start()
        await super().startup(sockets)
        if self.started and self._control is not None:
            await self._control.start()
        if self.started:
            self._resuming = asyncio.create_task(self._cloud.resume())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._control is not None:
            await self._control.stop()
        if self._resuming is not None:
            self._resuming.cancel()
        await super().shutdown(sockets)
        await self._cloud.stop()

    async def _wait_tasks_to_complete(self) -> None:
        """Wait for the requests under way, but not for idle connections: closing one over TLS takes until
        its client answers, and a client that sits on a pool of them does not."""
        while self.server_state.tasks and not self.force_exit:  # noqa: ASYNC110  (uvicorn's own set)
            await asyncio.sleep(_LOOK)


def serve(cloud: Cloud, address: str, port: int, control: Control | None = None) -> Server:
    """The server of a cloud, not yet started; port 0 takes a free one."""
    names = cloud.services.names
    covered = [f"*.{names.suffix}", *(f"*.{names.service(label)}" for label in _SERVICES)]
    config = uvicorn.Config(
        cloud.app,
        host=address,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )
    config.load()
    config.ssl = ssl_context(cloud.services.ca, covered, names.suffix, cloud.reachable.is_lost)
    return Server(config, cloud, control)


def build(config: Config, address: str, port: int) -> Server:
    """Raises HostError when the machine is not prepared (`sandbox up` prepares it)."""
    outside = Outside(
        supervisor=AsyncSupervisor(config),
        hosts=HostNames(config),
        authority=Authority(config),
        trust=ssl.create_default_context(cafile=str(config.ca_bundle)),
        local=f"{config.gateway if address == _EVERYWHERE else address}:{port}",
        fabric=Fabric(config),
    )
    cloud = Cloud(config, outside, catalogue())
    return serve(cloud, address, port, Control(control_path(config), cloud.commands()))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.server", description="Serve the local Azure.")
    parser.add_argument(
        "--state", type=Path, help="state folder (default: AGENTS_SANDBOX_STATE, else /var/lib)"
    )
    parser.add_argument("--listen", metavar="ADDRESS:PORT", help="default: every address, port 443")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # httpx tells of every request that it makes.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = Config()
    if options.state is not None:
        config = replace(config, state=options.state)
    address, _, port = (options.listen or f"{_EVERYWHERE}:443").rpartition(":")
    if not address or not port.isdigit():
        parser.error(f"--listen {options.listen}: an address and a port are expected, like 127.0.0.1:8443")
    build(config, address, int(port)).run()


if __name__ == "__main__":
    main()
