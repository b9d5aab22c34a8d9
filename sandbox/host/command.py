"""Running the system's own tools (`ip`, `umount`, …)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from sandbox.host.errors import HostError

#: Seconds after which a tool of the system that should answer at once is taken for stuck.
DEADLINE = 30


def attempt(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever the exit code."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    except FileNotFoundError:
        raise HostError(
            f"`{command[0]}` is not installed; `make up` installs it (package iproute2)"
        ) from None
    except subprocess.TimeoutExpired:
        raise HostError(f"`{' '.join(command)}` did not end within {DEADLINE} s") from None


def run(command: Sequence[str]) -> str:
    """Standard output; raises HostError with the tool's own words when it fails."""
    done = attempt(command)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()
        raise HostError(f"`{' '.join(command)}` failed with exit code {done.returncode}: {words}")
    return done.stdout


def ip(*arguments: str) -> str:
    return run(["ip", *arguments])


def ip_json(*arguments: str) -> list[dict[str, Any]]:
    """What `ip -j` says; empty when the thing asked for does not exist."""
    done = attempt(["ip", "-j", *arguments])
    if done.returncode != 0 or not done.stdout.strip():
        return []
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return [row for row in rows if row]
