"""A sandbox of the soaks' own, beside any other, that may be killed and reset at will."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from sandbox.config import Config
from sandbox.host.supervisor import Programs
from tests.sandboxed import ROOT, Sandbox, exported

#: What `make up` does.
UP = "uv run sandbox up && uv run sandbox deploy"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: A line of `pulumi up`: operation, type, name, state, e.g. ` +  azure-native:dns:Zone zone creating (0s) `.
_STEP = re.compile(r"^ (?:\+|~|\+\+|-|) +(?P<resource>\S+:\S+ \S+) (?P<state>\w+)")
_DONE = {"created", "updated", "deleted", "replaced", "refreshed", "read"}


def coordinates() -> Config:
    """Always the same ones, so that what an interrupted soak left is cleared by the next."""
    return Config(
        suffix="soak.azure.test",
        state=Path("/var/lib/agents-soak"),
        network=IPv4Network("10.99.0.0/16"),
        netns="agents-soak",
    )


@dataclass(frozen=True)
class Run:
    """How one run of `command` ended; `code` is negative when it was killed."""

    code: int
    seconds: float
    output: str


class OwnSandbox:
    """Runs commands against `config`; whatever they print goes to a file, as to a terminal that stays."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self._folder = folder
        self._runs = 0

    def run(self, command: str = UP, *, kill_after: float | None = None, timeout: float = 900) -> Run:
        """Run to its end, or end it and all of its process group with SIGKILL after so many seconds."""
        self._runs += 1
        log = self._folder / f"{self._runs:03}.log"
        started = time.monotonic()
        with log.open("w") as stream:
            process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=ROOT,
                env={**os.environ, **self.config.environment()},
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                process.wait(timeout if kill_after is None else kill_after)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return Run(process.returncode, time.monotonic() - started, _COLOURS.sub("", log.read_text()))

    def must(self, command: str = UP) -> Run:
        """Run to a good end; fails with the last of what it printed."""
        done = self.run(command)
        assert done.code == 0, f"{command} -> {done.code} after {done.seconds:.0f} s\n{done.output[-6000:]}"
        return done

    def user(self) -> Sandbox:
        return Sandbox(exported(self.must("uv run sandbox env").output))

    def programs(self) -> dict[str, dict[str, Any]]:
        """supervisord's word on every program, by name."""
        return {name: dict(info) for name, info in Programs(self.config).details().items()}


def at_work(output: str) -> str:
    """What ran when the output stopped: the resources in the making, or the part of `sandbox up`."""
    making: dict[str, None] = {}
    last = "start"
    for line in output.splitlines():
        if step := _STEP.match(line):
            making.pop(step["resource"], None)
            if step["state"] not in _DONE:
                making[step["resource"]] = None
        elif re.match(r"(up|deploy)\b", line):
            last = line.removesuffix(" …")
    # Components last as long as their children: the children say more.
    resources = [name for name in making if not name.startswith(("agents:", "pulumi:"))]
    return ", ".join(resources) if resources else last
