"""The sandbox's own programs: name server, the local Azure, the providers; and when each is ready."""

from __future__ import annotations

import http.client
import socket
import ssl
import sys
import time
from collections.abc import Mapping

from sandbox.config import Config
from sandbox.host import dns, programs
from sandbox.host.environment import PLUGS
from sandbox.host.errors import HostError
from sandbox.host.supervisor import Programs, last_lines
from sandbox.names import Names
from sandbox.services import Program
from sandbox.toolchain import Toolchain

SERVER = "azure"
#: Seconds for the endpoints to answer, and for stored clusters and databases to be back.
_ANSWERS, _BACK = 60.0, 300.0
_LOOK = 0.2


def server(config: Config, toolchain: Toolchain) -> Program:
    """The process that serves every Azure endpoint, on the gateway's address."""
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return Program(
        name=SERVER,
        command=(sys.executable, "-m", "sandbox.server"),
        netns=config.netns,
        env={**config.environment(), "PATH": f"{toolchain.bin}:{system}"},
        stop_seconds=30,
    )


def plug(config: Config, name: str, port: int) -> Program:
    """A Pulumi provider. It works in the name of whoever runs the engine that calls it."""
    module = f"sandbox.engine.{name.replace('-', '_')}"
    return Program(
        name=name,
        command=(sys.executable, "-m", module, "--port", str(port)),
        env={
            **config.environment(),
            "SSL_CERT_FILE": str(config.ca_bundle),
            "REQUESTS_CA_BUNDLE": str(config.ca_bundle),
        },
    )


def start_server(config: Config, toolchain: Toolchain, supervised: Programs) -> None:
    """Return when the endpoints answer and everything stored is back. Raises HostError."""
    supervised.start(dns.program(config, toolchain.program("coredns")))
    supervised.start(server(config, toolchain))
    _await(config, "/metadata/endpoints?api-version=2022-09-01", _ANSWERS, "does not answer")
    _await(config, "/healthz", _BACK, "has not brought back everything that was there before")


def start_plugs(config: Config, supervised: Programs, ports: Mapping[str, int]) -> None:
    """Return when each provider accepts connections. Raises HostError."""
    for name in PLUGS:
        supervised.start(plug(config, name, ports[name]))
    for name in PLUGS:
        end = time.monotonic() + _ANSWERS
        while not accepts(ports[name]):
            if time.monotonic() > end:
                log = programs.log_path(config, name)
                raise HostError(
                    f"{name} does not accept connections on port {ports[name]}. {last_lines(log)}"
                )
            time.sleep(_LOOK)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status(config: Config, path: str) -> int:
    """HTTP status of a path of Resource Manager's endpoint. Raises OSError when it is not reached."""
    host = Names(config.suffix).management
    context = ssl.create_default_context(cafile=str(config.ca_bundle))
    connection = http.client.HTTPSConnection(str(config.gateway), 443, timeout=5, context=context)
    # By address, because the name is published by the server itself.
    connection.sock = context.wrap_socket(
        socket.create_connection((str(config.gateway), 443), timeout=5), server_hostname=host
    )
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


def _await(config: Config, path: str, seconds: float, failing: str) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            found = status(config, path)
        except (OSError, http.client.HTTPException) as error:
            problem = str(error)
        else:
            if found == 200:
                return
            problem = f"HTTP {found}"
        if time.monotonic() > end:
            log = programs.log_path(config, SERVER)
            raise HostError(f"the local Azure {failing} after {seconds:.0f} s ({problem}). {last_lines(log)}")
        time.sleep(_LOOK)
