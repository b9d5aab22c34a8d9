"""`sandbox deploy`: bring dev up on the running sandbox with the ordinary Pulumi CLI, then ask an agent.

Pulumi runs exactly as a user's would after `eval "$(sandbox env)"`, and as that user even under sudo. Safe to
repeat: what is already as the program declares it stays untouched.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console

from sandbox.config import Config, invoking_user
from sandbox.host import session
from sandbox.host.environment import pulumi_folder
from sandbox.host.errors import HostError
from sandbox.toolchain.shell import environment as shell_environment
from sandbox.toolchain.shell import identity

STACK = "dev"
PROJECT = Path(__file__).resolve().parents[1]
#: What the notification agent is asked first.
_QUESTION = {
    "channel": "teams",
    "recipient": "platform-team",
    "message": "The sandbox is up and the dev stack is deployed.",
    "severity": "info",
}
#: Seconds that the first answer may take after Pulumi reported the workload ready: routes and names settle.
_PATIENCE = 120


@dataclass(frozen=True)
class Pulumi:
    """The Pulumi CLI in the project's folder, with the variables of `sandbox env`."""

    env: Mapping[str, str]

    def run(self, *arguments: str) -> None:
        """Run with the user's terminal as output. Raises HostError when it fails."""
        command = ["pulumi", "--non-interactive", *arguments]
        user = identity(invoking_user())
        code = subprocess.run(command, cwd=PROJECT, env=dict(self.env), check=False, **user).returncode
        if code != 0:
            raise HostError(
                f"`pulumi {' '.join(arguments)}` ended with code {code}; its messages are above. "
                "`uv run sandbox logs azure` shows the cloud's side; `uv run sandbox deploy` tries again."
            )

    def outputs(self) -> dict[str, Any]:
        return self._read("stack", "output", "--json")

    def pending(self) -> list[str]:
        """URNs of what was being changed when an earlier run was killed, and still is marked so."""
        deployment = self._read("stack", "export").get("deployment") or {}
        return [operation["resource"]["urn"] for operation in deployment.get("pending_operations") or []]

    def _read(self, *arguments: str) -> dict[str, Any]:
        command = ["pulumi", "--non-interactive", *arguments, "--stack", STACK]
        user = identity(invoking_user())
        done = subprocess.run(
            command, cwd=PROJECT, env=dict(self.env), check=False, capture_output=True, text=True, **user
        )
        if done.returncode != 0:
            raise HostError(f"`pulumi {' '.join(arguments)}` failed: {done.stderr.strip()}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def deploy(config: Config, console: Console | None = None) -> None:
    """Raises HostError with what went wrong and what to do."""
    console = console or Console(highlight=False)
    pulumi = Pulumi(environment(config))
    started = time.monotonic()
    console.print(f"deploy: pulumi up of {STACK} …")
    pulumi.run("stack", "select", "--create", STACK)
    recover(pulumi, pulumi_folder(config), console)
    pulumi.run("up", "--yes", "--skip-preview", "--stack", STACK)
    console.print(f"deploy: pulumi up of {STACK} done in {time.monotonic() - started:.0f} s")
    url = str(pulumi.outputs()["agentsUrl"])
    answer = ask(f"{url}/api/notification/execute", config.ca_bundle)
    console.print(
        f"\nThe notification agent answered: {json.dumps(answer['output'], indent=2)}\n", markup=False
    )
    console.print(f"Agents   {url}/api/notification/execute", soft_wrap=True)
    console.print(f"Health   {url}/api/notification/health", soft_wrap=True)
    console.print(
        f'\nNext: eval "$(uv run sandbox env)" && pulumi stack output --stack {STACK}',
        markup=False,
        soft_wrap=True,
    )


def recover(pulumi: Pulumi, backend: Path, console: Console) -> None:
    """Undo what a killed pulumi left in the stack's state: its lock, and what it was about to create.

    The latter would be warned of at every later run. What did come into being, the next `up` finds again.
    """
    if abandoned(backend, STACK):
        console.print("deploy: an earlier pulumi was killed; releasing its lock")
        pulumi.run("cancel", "--yes", "--stack", STACK)
    if pending := pulumi.pending():
        console.print(f"deploy: looking at what an earlier pulumi left unfinished ({len(pending)}) …")
        pulumi.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", STACK)


def environment(config: Config) -> dict[str, str]:
    """What a shell has after `eval "$(sandbox env)"`."""
    current = session.load(config)
    if current is None or not current.is_running():
        raise HostError("the sandbox is not running; start it with `uv run sandbox up`")
    own = shell_environment(invoking_user())
    path = os.pathsep.join([*current.tools, own.get("PATH", os.defpath)])
    return {**own, **current.variables, "PATH": path}


def abandoned(backend: Path, stack: str) -> bool:
    """Whether the stack is locked by a process of this machine that is gone. Raises HostError if it lives."""
    stale = False
    for file in backend.glob(f".pulumi/locks/**/{stack}/*.json"):
        with contextlib.suppress(OSError, ValueError):
            lock = json.loads(file.read_text())
            if lock.get("hostname") == socket.gethostname() and not _is_pulumi(int(lock["pid"])):
                stale = True
                continue
        raise HostError(
            f"another pulumi is at work on {stack} ({file}); wait for it, or end it with "
            f"`pulumi cancel --stack {stack}`"
        )
    return stale


def _is_pulumi(pid: int) -> bool:
    """Whether it lives: a killed one that nobody has yet reaped still has its name."""
    try:
        process = psutil.Process(pid)
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ask(url: str, bundle: Path) -> dict[str, Any]:
    """The agent's answer; waits while it is not reachable yet (connection errors, 404, 502, 503, 504)."""
    deadline = time.monotonic() + _PATIENCE
    with httpx.Client(verify=ssl.create_default_context(cafile=str(bundle)), timeout=60) as client:
        while True:
            try:
                response = client.post(url, json={"input": _QUESTION})
                if response.status_code == 200:
                    answer: dict[str, Any] = response.json()
                    return answer
                problem = f"{response.status_code} {response.text[:500]}"
                passing = response.status_code in {404, 502, 503, 504}
            except httpx.TransportError as error:
                problem, passing = repr(error), True
            if not passing or time.monotonic() > deadline:
                raise HostError(
                    f"the agent at {url} does not answer: {problem}. Look at its pods: "
                    'eval "$(uv run sandbox env)" && kubectl get pods --all-namespaces'
                )
            time.sleep(1)
