"""supervisord's XML-RPC over its unix socket, every call bounded in time."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

from sandbox.host.errors import HostError

#: Seconds for calls that answer at once; one that stops a program waits for as long as that may take.
DEADLINE = 15.0

#: Fault codes of supervisor.xmlrpc.Faults that callers tell apart.
BAD_NAME, NOT_RUNNING, ALREADY_STARTED, ALREADY_ADDED, CANT_REREAD = 10, 70, 60, 90, 92

Fault = xmlrpc.client.Fault


class UnreachableError(HostError):
    """Nothing answers on the socket: the supervisor is not running, or hangs."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__()
        self._path, self._timeout = path, timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002
        return _Connection(self._path, self._timeout)


def call(path: Path, method: str, *arguments: Any, timeout: float = DEADLINE) -> Any:
    """Result of `supervisor.<method>`. Raises Fault (refused) or UnreachableError."""
    proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(path, timeout))
    try:
        with proxy:
            return getattr(proxy.supervisor, method)(*arguments)
    except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
        raise UnreachableError(
            f"the sandbox's supervisor does not answer on {path} ({error}); `uv run sandbox up` starts it"
        ) from error
