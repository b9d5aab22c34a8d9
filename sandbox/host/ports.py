"""TCP ports on the host's loopback, chosen free and then kept, so that `sandbox env` stays true."""

from __future__ import annotations

import json
import socket
from collections.abc import Collection, Iterable
from pathlib import Path

from sandbox.config import Config
from sandbox.host import files


def choose(config: Config, names: Iterable[str], *, running: Collection[str] = ()) -> dict[str, int]:
    """A port for each name: that of last time if it holds it (`running`) or nobody does, else a new one."""
    known = _load(_path(config))
    chosen: dict[str, int] = {}
    for name in names:
        port = known.get(name)
        if port is None or (name not in running and not is_free(port)):
            port = _free(exclude={*known.values(), *chosen.values()})
        chosen[name] = port
    files.write_if_changed(_path(config), json.dumps(chosen))
    return chosen


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a connection that is still closing does not make the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free(exclude: Collection[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in exclude:
            return port


def _path(config: Config) -> Path:
    return config.state / "ports.json"


def _load(path: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
