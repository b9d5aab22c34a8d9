"""The sandbox's own programs: name server, the local Azure, the providers; and when each is ready."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.config import Config
from sandbox.host import dns
from sandbox.host.environment import PLUGS
from sandbox.host.errors import HostError
from sandbox.host.supervisor import Programs
from sandbox.names import Names
from sandbox.services import Program
from sandbox.toolchain import Toolchain

NAME_SERVER, SERVER = "dns", "azure"
#: Seconds for the endpoints to answer, and for stored clusters and databases to be back.
_ANSWERS, _BACK = 60.0, 300.0
#: Seconds for an answer of a server that has been running all along; without one it hangs.
_HANGS = 10.0
_LOOK = 0.2
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGE = Path(__file__).parents[1]


def names() -> list[str]:
    """The programs that a sandbox always has."""
    return [NAME_SERVER, SERVER, *PLUGS]


def server(config: Config, toolchain: Toolchain) -> Program:
    """The process that serves every Azure endpoint, on the gateway's address."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("AGENTS_SANDBOX_")}
    return Program(
        name=SERVER,
        command=(sys.executable, "-m", "sandbox.server"),
        netns=config.netns,
        env={**settings, **_common(config), "PATH": f"{toolchain.bin}:{_SYSTEM_PATH}"},
        stop_seconds=30,
    )


def plug(config: Config, name: str, port: int) -> Program:
    """A Pulumi provider. It works in the name of whoever runs the engine that calls it."""
    module = f"sandbox.engine.{name.replace('-', '_')}"
    return Program(
        name=name,
        command=(sys.executable, "-m", module, "--port", str(port)),
        env={
            **_common(config),
            "SSL_CERT_FILE": str(config.ca_bundle),
            "REQUESTS_CA_BUNDLE": str(config.ca_bundle),
        },
    )


def start_server(config: Config, toolchain: Toolchain, supervised: Programs) -> None:
    """Return when the endpoints answer and everything stored is back. A server that hangs is restarted.

    Raises HostError.
    """
    supervised.start(dns.program(config, toolchain.program("coredns")))
    before = _pid(supervised, SERVER)
    supervised.start(server(config, toolchain))

    def answers(path: str) -> Callable[[], str | None]:
        return lambda: _answer_problem(config, path)

    endpoint = answers("/metadata/endpoints?api-version=2022-09-01")
    silent = "does not answer"
    if before and before == _pid(supervised, SERVER):
        try:
            _await(supervised, SERVER, endpoint, seconds=_HANGS, failing=silent)
        except HostError:
            supervised.kill(SERVER)
    _await(supervised, SERVER, endpoint, seconds=_ANSWERS, failing=silent)
    stored = "has not brought back everything that was there before"
    _await(supervised, SERVER, answers("/healthz"), seconds=_BACK, failing=stored)


def start_plugs(config: Config, supervised: Programs, ports: Mapping[str, int]) -> None:
    """Return when each provider accepts connections. Raises HostError."""
    with ThreadPoolExecutor(len(PLUGS)) as pool:
        list(pool.map(lambda name: supervised.start(plug(config, name, ports[name])), PLUGS))
    for name in PLUGS:
        port = ports[name]

        def refused(port: int = port) -> str | None:
            return None if accepts(port) else f"port {port}"

        _await(supervised, name, refused, seconds=_ANSWERS, failing="does not accept connections")


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def server_answer(config: Config, path: str) -> int:
    """HTTP status of a path of Resource Manager's endpoint. Raises OSError when it is not reached."""
    host = Names(config.suffix).management
    context = ssl.create_default_context(cafile=str(config.ca_certificate))
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


def _answer_problem(config: Config, path: str) -> str | None:
    try:
        found = server_answer(config, path)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    return None if found == 200 else f"HTTP {found}"


def _pid(supervised: Programs, name: str) -> int:
    """0 when it does not run."""
    return int(supervised.details().get(name, {}).get("pid", 0))


def _await(
    supervised: Programs, name: str, problem: Callable[[], str | None], *, seconds: float, failing: str
) -> None:
    """Wait until there is no problem; give up when the program is given up, or after `seconds`."""
    end = time.monotonic() + seconds
    while found := problem():
        ended = supervised.state(name) in {"FATAL", "STOPPED", "ABSENT"}
        if ended or time.monotonic() > end:
            raise HostError(f"{name} {failing} ({found}). {supervised.log_end(name)}")
        time.sleep(_LOOK)


def _common(config: Config) -> dict[str, str]:
    """Variables of all programs of ours. The digest of the source makes `up` restart them after an update."""
    return {**config.environment(), "AGENTS_SANDBOX_CODE": code()}


def code() -> str:
    """Digest of the sandbox's own source."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(str(file.relative_to(_PACKAGE)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
