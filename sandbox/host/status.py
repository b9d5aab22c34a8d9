"""What runs, since when, and what heals it. Looks only: needs no privilege beyond the session's own user."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox import control
from sandbox.config import Config
from sandbox.host import network, parts, session
from sandbox.host.cgroup import Cgroup
from sandbox.host.errors import HostError
from sandbox.host.supervisor import Programs

_UP, _RUNNING = "UP", "RUNNING"
#: Seconds that the process that serves Azure may take to answer.
_PATIENCE = 2.0


@dataclass(frozen=True)
class Part:
    """`state` is supervisord's word for a program, UP or DOWN for the network; `since` is in seconds since
    1970, None when down or not a program; `heal` is what to do, None when nothing need be done.
    """

    name: str
    state: str
    since: float | None
    detail: str
    heal: str | None


@dataclass(frozen=True)
class Status:
    """`interrupted`: processes of ours are left without their supervisor.

    `outages` and `faults` are what was asked for, as `outage --json` and `fault list --json` have it: they
    make nothing ill, and nothing need be done about them. None where the process that knows does not answer.
    """

    state: Literal["running", "degraded", "interrupted", "down"]
    since: float | None
    heal: str | None
    parts: list[Part]
    outages: list[dict[str, Any]] | None = field(default_factory=list)
    faults: list[dict[str, Any]] | None = field(default_factory=list)


def status(config: Config) -> Status:
    """Raises PermissionError when the sandbox is another user's."""
    current = session.load(config)
    if current is None or not current.is_running():
        if Cgroup(config.cgroup).pids():
            return Status("interrupted", None, "`make up` goes on, `make down` clears it away", [])
        return Status("down", None, "`make up`", [])
    if not Programs(config).is_alive():
        heal = "`make up` starts it again"
        supervisor = Part("supervisor", "HANGS", None, f"process {current.supervisor} does not answer", heal)
        return Status("degraded", current.started, heal, [supervisor])
    found = [_network(config), *_programs(config)]
    ill = any(part.heal for part in found)
    state: Literal["running", "degraded"] = "degraded" if ill else "running"
    outages, faults = (_asked(config, command) for command in ("outage list", "fault list"))
    return Status(state, current.started, "`make up`" if ill else None, found, outages, faults)


def _asked(config: Config, command: str) -> list[dict[str, Any]] | None:
    try:
        found: list[dict[str, Any]] = control.ask(config, command, patience=_PATIENCE)
    except (HostError, OSError, ValueError):
        return None
    return found


def _network(config: Config) -> Part:
    detail = f"{config.network} on {network.host_link(config)}"
    if network.is_up(config):
        return Part("network", _UP, None, detail, None)
    return Part("network", "DOWN", None, detail, "`make up` makes it again")


def _programs(config: Config) -> list[Part]:
    found = []
    for name, info in sorted(Programs(config).details().items()):
        state = str(info["statename"])
        since = float(info["start"]) if state == _RUNNING else None
        if state == _RUNNING:
            detail, heal = f"process {info['pid']}", None
        else:
            detail, heal = (
                str(info["spawnerr"] or info["description"]),
                f"`uv run sandbox logs {name}` says why",
            )
        if name == parts.SERVER and heal is None:
            detail, heal = _server(config, detail)
        found.append(Part(name, state, since, detail, heal))
    known = {part.name for part in found}
    absent = [name for name in parts.names() if name not in known]
    return found + [Part(name, "ABSENT", None, "not started", "`make up` starts it") for name in absent]


def _server(config: Config, detail: str) -> tuple[str, str | None]:
    logs = f"`uv run sandbox logs {parts.SERVER}` says why"
    try:
        answer = parts.server_answer(config, "/healthz")
    except (OSError, http.client.HTTPException) as error:
        return f"{detail}, does not answer: {error}", logs
    if answer == 200:
        return detail, None
    return f"{detail}, still bringing back what was there before (HTTP {answer})", "wait, or " + logs
