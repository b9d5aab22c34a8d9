"""The running sandbox as tests see it: a user's environment, and a way to run a user's commands in it."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def user_environment() -> dict[str, str]:
    """The variables that a user's shell has after `eval "$(uv run sandbox env)"`."""
    return exported(sandbox_command("env"))


def exported(script: str) -> dict[str, str]:
    """The variables of a shell that has evaluated `script`."""
    done = subprocess.run(
        ["bash", "-c", 'eval "$1" && env -0', "bash", script], check=True, capture_output=True, text=True
    )
    return dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Sandbox:
    """Commands run in the project's folder with exactly what `eval "$(sandbox env)"` gives a user."""

    env: dict[str, str]

    def run(
        self, *command: str, timeout: float = 300, check: bool = True, stdin: str | None = None
    ) -> Result:
        """Run one command; with `check`, a non-zero exit fails the test with all that was printed."""
        done = subprocess.run(
            command,
            env=self.env,
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=timeout,
            input=stdin,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{shlex.join(command)} -> {done.returncode}\n{done.stdout}\n{done.stderr}")
        return Result(done.returncode, done.stdout, done.stderr)

    def az(self, *arguments: str, **options: Any) -> Any:
        """`az … --output json`, parsed; None when it prints nothing."""
        result = self.run("az", *arguments, "--output", "json", **options)
        return json.loads(result.out) if result.out.strip() else None

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.run("kubectl", *arguments, **options).out

    def pulumi(self, *arguments: str, **options: Any) -> Result:
        return self.run("pulumi", "--non-interactive", *arguments, **options)


def sandbox_command(*arguments: str, timeout: float = 1800) -> str:
    """Run `sandbox …` of this checkout and give what it printed on standard output."""
    done = subprocess.run(
        ["uv", "run", "sandbox", *arguments],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(
            f"sandbox {shlex.join(arguments)} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done.stdout
