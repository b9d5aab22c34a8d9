"""A user's commands: the ordinary clients in the project's folder, pointed at the sandbox."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Seconds that a command may take unless it says otherwise; `pulumi up` says otherwise.
_PATIENCE = 300
#: Characters of what a failed command printed last.
_SHOWN = 6000


class CommandError(Exception):
    """A command ended badly, or not at all; the message has it and the last of what it printed."""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Shell:
    """`env` is what a shell has after `eval "$(uv run sandbox env)"`; `folder` is the project it is in."""

    env: Mapping[str, str]
    folder: Path = ROOT

    def run(
        self, *command: str, check: bool = True, timeout: float = _PATIENCE, stdin: str | None = None
    ) -> Done:
        """Run to its end. Raises CommandError after `timeout` seconds and, with `check`, when it fails."""
        began = time.monotonic()
        try:
            done = subprocess.run(
                command,
                env=dict(self.env),
                cwd=self.folder,
                text=True,
                capture_output=True,
                timeout=timeout,
                input=stdin,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"{shlex.join(command)} did not end within {timeout:.0f} s") from error
        if check and done.returncode != 0:
            said = (done.stdout + done.stderr)[-_SHOWN:]
            raise CommandError(f"{shlex.join(command)} ended with code {done.returncode}:\n{said}")
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def az(self, *arguments: str, timeout: float = _PATIENCE) -> Any:
        """`az … --output json`, parsed; None when it prints nothing."""
        out = self.run("az", *arguments, "--output", "json", timeout=timeout).out
        return json.loads(out) if out.strip() else None

    def kubectl(self, *arguments: str, timeout: float = _PATIENCE, stdin: str | None = None) -> str:
        return self.run("kubectl", *arguments, timeout=timeout, stdin=stdin).out

    def sandbox(self, *arguments: str, check: bool = True, timeout: float = _PATIENCE) -> Done:
        """`uv run sandbox …` of this checkout, wherever the shell is."""
        return replace(self, folder=ROOT).run(
            "uv", "run", "sandbox", *arguments, check=check, timeout=timeout
        )


def sandbox_shell() -> Shell:
    """Raises CommandError when no sandbox runs."""
    script = 'exported="$(uv run sandbox env)" && eval "$exported" && env -0'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"no sandbox to drill on: {done.stderr.strip()[-500:]}")
    return Shell(dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry))
