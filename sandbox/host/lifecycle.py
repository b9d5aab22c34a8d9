"""Bringing the sandbox up, taking it down, forgetting it; from whatever state the machine is in.

`up` completes what is missing and keeps what runs; what a kill left behind is cleared first.
"""

from __future__ import annotations

import os
import time

from rich.console import Console

from sandbox.config import Config
from sandbox.host import azlogin, ca, environment, kernel, netns, network, parts, ports, session, supervisor
from sandbox.host.cgroup import Cgroup
from sandbox.host.clear import clear, remove_state
from sandbox.host.lock import exclusive
from sandbox.host.report import Progress
from sandbox.host.session import Session
from sandbox.host.supervisor import Programs
from sandbox.toolchain import Toolchain, install

_NEXT = 'Next: `make up` also deploys dev; or eval "$(uv run sandbox env)" and use pulumi, az, kubectl.'


def up(config: Config, console: Console) -> None:
    """Repeatable. Raises HostError or ToolchainError with what is wrong and what to do."""
    progress = Progress("up", 5, console)
    with exclusive(config, "up", progress.say):
        network.check_clash(config)
        with progress.part("toolchain"):
            toolchain = install(config, console)
        with progress.part("network, names, certificates, supervisor"):
            supervised = _ground(config, progress)
        chosen = ports.choose(config, environment.PLUGS, running=_running(supervised))
        if revived := supervised.revive():
            progress.say(f"started again what had failed: {', '.join(revived)}")
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
        clear(config)
    progress.say(f"nothing of the sandbox runs; its state is in {config.state}. Next: `make up`.")


def reset(config: Config, console: Console) -> None:
    """`down`, then forget all state. The cache stays."""
    progress = Progress("reset", 2, console)
    with exclusive(config, "reset", progress.say):
        with progress.part("processes, namespaces, mounts, names"):
            clear(config)
        with progress.part(f"state in {config.state}"):
            remove_state(config)
    progress.say("the sandbox is forgotten. Next: `make up`.")


def _ground(config: Config, progress: Progress) -> Programs:
    """Everything that programs stand on; a supervisor that is alive keeps what it runs."""
    supervised = Programs(config)
    alive = netns.exists(config.netns) and supervised.is_alive()
    if not alive and clear(config):
        progress.say("cleared what an interrupted run had left")
    kernel.raise_limits(config)
    network.create(config)
    Cgroup(config.cgroup).create()
    ca.ensure(config, os.environ)
    if not alive:
        supervisor.launch(config)
    return supervised


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
    same = current is not None and (current.supervisor, current.born) == (pid, born)
    session.save(
        config,
        Session(
            started=current.started if current and same else time.time(),
            supervisor=pid,
            born=born,
            tools=[str(toolchain.bin)],
            ports=chosen,
            variables=variables,
        ),
    )
