"""The workflows' `run:` blocks, and a runner's way of running them."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


@dataclass(frozen=True)
class Block:
    """`environment`: names of the variables that workflow, job and step give it."""

    workflow: str
    job: str
    step: str
    script: str
    environment: frozenset[str]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.workflow, self.job, self.step

    def run(
        self, folder: Path, environment: Mapping[str, str], *, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """As a runner does with `shell: bash`; stderr goes where stdout goes."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.script],
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )


@functools.cache
def workflows() -> dict[str, dict[str, Any]]:
    """File name -> content; `on` is the key True, as YAML 1.1 has it."""
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(WORKFLOWS.glob("*.yml"))}


def steps() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Workflow, job and step."""
    for name, workflow in workflows().items():
        for job, definition in workflow["jobs"].items():
            for step in definition.get("steps", []):
                yield name, job, step


def blocks() -> dict[tuple[str, str, str], Block]:
    """By workflow, job and the step's name."""
    found = {}
    for name, job, step in steps():
        if "run" in step:
            definition = workflows()[name]
            given = {
                **definition.get("env", {}),
                **definition["jobs"][job].get("env", {}),
                **step.get("env", {}),
            }
            made = Block(name, job, step["name"], step["run"], frozenset(given))
            assert made.key not in found, f"two steps are called {made.key}"
            found[made.key] = made
    return found


def block(workflow: str, job: str, step: str) -> Block:
    return blocks()[workflow, job, step]
