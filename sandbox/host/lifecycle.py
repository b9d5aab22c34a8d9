"""Bringing the sandbox up and taking it down, from whatever state the machine is in.

`up` completes what is missing; what a kill left behind is cleared first. `down` needs no process of ours to
be alive: it finds them by cgroup, and namespaces, mounts and links by the names it gave them.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from sandbox.config import Config
from sandbox.host import azlogin, ca, environment, mounts, network, parts, ports, session, supervisor
from sandbox.host.cgroup import Cgroup
from sandbox.host.hosts import HostNames
from sandbox.host.lock import exclusive
from sandbox.host.report import Progress
from sandbox.host.session import Session
from sandbox.host.supervisor import Programs
from sandbox.toolchain import Toolchain, install

_NEXT = 'Next: `make up` also deploys dev; or eval "$(uv run sandbox env)" and use pulumi, az, kubectl.'


@dataclasses.dataclass(frozen=True)
class Part:
    """One supervised program: `state` is supervisord's word for it, `since` in seconds since 1970 (0: down)."""

    name: str
    state: str
    since: int
    log: str


@dataclasses.dataclass(frozen=True)
class Status:
    running: bool
    since: float | None
    parts: list[Part]


def up(config: Config, console: Console) -> None:
    """Repeatable. Raises HostError or ToolchainError with what is wrong and what to do."""
    progress = Progress("up", 5, console)
    with exclusive(config, "up", progress.say):
        with progress.part("toolchain"):
            toolchain = install(config, console)
        with progress.part("network, names, certificates, supervisor"):
            supervised = _ground(config, progress)
        chosen = ports.choose(config, environment.PLUGS, running=_running(supervised))
        with progress.part("the local Azure"):
            parts.start_server(config, toolchain, supervised)
        with progress.part("Pulumi's providers"):
            parts.start_plugs(config, supervised, chosen)
        with progress.part("Azure CLI's session"):
            _hand_over(config, toolchain, supervised, chosen)
    progress.say(f"the sandbox runs ({progress.elapsed():.0f} s). {_NEXT}")


def down(config: Config, console: Console) -> None:
    """End everything and leave the machine as it was; the state folder stays. Repeatable."""
    progress = Progress("down", 1, console)
    with exclusive(config, "down", progress.say), progress.part("processes, namespaces, mounts, names"):
        _clear(config)
    progress.say(f"nothing of the sandbox runs; its state is in {config.state}. Next: `make up`.")


def reset(config: Config, console: Console) -> None:
    """`down`, then forget all state. The cache stays."""
    progress = Progress("reset", 2, console)
    with exclusive(config, "reset", progress.say):
        with progress.part("processes, namespaces, mounts, names"):
            _clear(config)
        with progress.part(f"state in {config.state}"):
            _remove_state(config.state)
    progress.say("the sandbox is forgotten. Next: `make up`.")


def status(config: Config) -> Status:
    """What runs, needing no privilege beyond the session's own user."""
    current = session.load(config)
    if current is None or not current.is_running():
        return Status(running=False, since=None, parts=[])
    details = Programs(config).details()
    found = [
        Part(name, str(info["statename"]), int(info["start"]), str(info["stdout_logfile"]))
        for name, info in sorted(details.items())
    ]
    healthy = all(part.state == "RUNNING" for part in found)
    return Status(running=healthy, since=current.started, parts=found)


def _ground(config: Config, progress: Progress) -> Programs:
    """Everything that programs stand on; a supervisor that is alive keeps what it runs."""
    supervised = Programs(config)
    if not (network.is_up(config) and Cgroup(config.cgroup).exists() and supervised.is_alive()):
        if _clear(config):
            progress.say("cleared what an interrupted run had left")
        network.create(config)
        Cgroup(config.cgroup).create()
        ca.ensure(config, os.environ)
        supervisor.launch(config)
    else:
        ca.ensure(config, os.environ)
    return supervised


def _clear(config: Config) -> bool:
    """Remove every trace but the state; whether there was a process to end."""
    cgroup = Cgroup(config.cgroup)
    pods: Collection[str] = network.pods_by_inode(_namespaces(cgroup.pids()))
    ended = cgroup.end_all()
    for folder in (config.state, config.run):
        mounts.unmount_below(folder.resolve())
    network.remove(config, pods)
    cgroup.remove()
    HostNames(config).remove_all()
    shutil.rmtree(config.run, ignore_errors=True)
    return ended > 0


def _namespaces(pids: Collection[int]) -> set[int]:
    """Inodes of the network namespaces that these processes live in."""
    found = set()
    for pid in pids:
        try:
            found.add(Path(f"/proc/{pid}/ns/net").stat().st_ino)
        except OSError:
            continue
    return found


def _remove_state(folder: Path) -> None:
    """All but the lock, which is held."""
    for path in folder.iterdir():
        if path.name == "lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _running(supervised: Programs) -> list[str]:
    return [name for name, info in supervised.details().items() if info["statename"] == "RUNNING"]


def _hand_over(config: Config, toolchain: Toolchain, supervised: Programs, chosen: dict[str, int]) -> None:
    """Write down what `sandbox env` prints, and sign the Azure CLI in."""
    variables = environment.variables(config, chosen)
    environment.pulumi_folder(config).mkdir(parents=True, exist_ok=True)
    azlogin.give_to_user(environment.pulumi_folder(config))
    azlogin.sign_in(config, toolchain.program("az"), variables)
    pid, current = supervised.pid(), session.load(config)
    born = session.birth(pid) or 0.0
    tools = [str(toolchain.bin)]
    same = current is not None and (current.supervisor, current.born) == (pid, born)
    session.save(
        config,
        Session(
            started=current.started if current and same else time.time(),
            supervisor=pid,
            born=born,
            path=environment.without(os.environ.get("PATH", os.defpath), tools),
            tools=tools,
            ports=chosen,
            variables=variables,
        ),
    )
