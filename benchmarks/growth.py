"""How `pulumi up`, preview and refresh grow with the stack: dev, widened by ever more agents.

`uv run python -m benchmarks.growth --agents 5 17 64` on a running sandbox. Each size is a stack of its own,
made from nothing and destroyed again; the figures are a Markdown table on standard output.
Seconds are of this machine: compare the rows of one run, not runs. `--skip-checkpoints` has the engine save
its state once, at the end, instead of before and after every step: what remains is the program's own share.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from drills.project import copy_project
from sandbox.config import TENANT_ID
from tests.sandboxed import ROOT, user_environment

_STACK = "growth"
_SAMPLE_SECONDS = 0.5
#: What is weighed: a part's name -> a word of its command line.
_PARTS = {
    "engine": "pulumi --non-interactive",
    "program": "pulumi-language-python-exec",
    "azure-native": "sandbox.engine.azure_native",
    "kubernetes": "sandbox.engine.kubernetes",
    "Resource Manager": "sandbox.server",
}


@dataclass
class Peaks:
    """The most memory each part held, in MiB (resident)."""

    most: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0.0))

    @contextmanager
    def watched(self) -> Iterator[None]:
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_SAMPLE_SECONDS):
                self._sample()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _sample(self) -> None:
        for process in psutil.process_iter(["cmdline", "memory_info"]):
            line = " ".join(process.info["cmdline"] or ())
            for part, word in _PARTS.items():
                if word in line and process.info["memory_info"]:
                    mib = process.info["memory_info"].rss / 2**20
                    self.most[part] = max(self.most[part], mib)


@dataclass(frozen=True)
class Grown:
    agents: int
    resources: int
    seconds: dict[str, float]
    memory: dict[str, float]


class Stack:
    """A copy of the project with `agents` agents, deployed as stack `growth` beside any other."""

    def __init__(self, folder: Path, agents: int, env: dict[str, str]) -> None:
        # The project's packages are installed from this checkout; the copy's own come first.
        self._folder, self._env = folder, {**env, "PYTHONPATH": str(folder)}
        copy_project(folder)
        document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
        del document["encryptionsalt"]
        names = [*document["config"]["agents:agents"]]
        for number in range(len(names), agents):
            names.append(f"load{number:03}")
            shutil.copytree(ROOT / "prompts" / "notification", folder / "prompts" / names[-1])
        # So small that all of them fit one node: what is measured is the deployment, not the agents.
        small = {"cpu": "10m", "memory": "64Mi"}
        document["config"]["agents:agents"] = dict.fromkeys(names[:agents], small)
        # Names that no deleted vault still holds: what is recovered needs a second update to settle.
        # Only an environment named dev is open to anybody; nobody calls the agents of this one.
        document["config"]["agents:authentication"] = {"tenant": TENANT_ID, "audience": "api://agents"}
        # Begins with a letter, or Pulumi reads some of them as numbers (2e73).
        document["config"]["agents:suffix"] = f"g{secrets.token_hex(2)}"
        (folder / f"Pulumi.{_STACK}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    def pulumi(self, *arguments: str) -> float:
        """Seconds of `pulumi …`; what it printed when it fails."""
        began = time.monotonic()
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments, "--stack", _STACK],
            cwd=self._folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{shlex.join(arguments)} -> {done.returncode}\n{done.stdout[-6000:]}")
        return time.monotonic() - began

    def resources(self) -> int:
        shown = subprocess.check_output(
            ["pulumi", "stack", "export", "--stack", _STACK], cwd=self._folder, env=self._env
        )
        return len(json.loads(shown)["deployment"]["resources"])


def measure(agents: int, env: dict[str, str]) -> Grown:
    peaks = Peaks()
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        stack = Stack(Path(folder), agents, env)
        stack.pulumi("stack", "select", "--create")
        try:
            with peaks.watched():
                seconds = {
                    "up": stack.pulumi("up", "--yes", "--skip-preview"),
                    "preview": stack.pulumi("preview", "--expect-no-changes"),
                    "refresh": stack.pulumi("refresh", "--yes", "--skip-preview"),
                }
            return Grown(agents, stack.resources(), seconds, peaks.most)
        finally:
            stack.pulumi("destroy", "--yes", "--skip-preview")
            stack.pulumi("stack", "rm", "--yes")


def table(rows: list[Grown]) -> str:
    heads = ["agents", "resources", *rows[0].seconds, "up per 100 resources", *rows[0].memory]
    lines = [heads, ["---:"] * len(heads), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Grown) -> list[str]:
    return [
        f"{row.agents}",
        f"{row.resources}",
        *(f"{seconds:.0f} s" for seconds in row.seconds.values()),
        f"{row.seconds['up'] / row.resources * 100:.1f} s",
        *(f"{mib:.0f} MiB" for mib in row.memory.values()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--agents", type=int, nargs="+", default=[5, 17, 64], help="agents per size")
    parser.add_argument("--skip-checkpoints", action="store_true", help="save the state once, at the end")
    asked = parser.parse_args()
    env = user_environment()
    if asked.skip_checkpoints:
        # The engine reads it as an experiment only.
        env |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
    rows = []
    for agents in asked.agents:
        rows.append(measure(agents, env))
        print(table(rows[-1:]), file=sys.stderr)  # noqa: T201
    print(table(rows))  # noqa: T201


if __name__ == "__main__":
    main()
