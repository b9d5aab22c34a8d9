"""Runs a host command to its end and says what failed."""

from __future__ import annotations

import subprocess


class CommandError(RuntimeError):
    """A command of ours ended with a code other than 0; the message holds it and its last words."""


def run(*command: str, stdin: str | None = None, timeout: float = 60) -> str:
    """Standard output of `command`. Raises CommandError when it fails or takes over `timeout` seconds."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise CommandError(f"`{' '.join(command)}` did not end within {timeout:.0f} s") from expired
    except FileNotFoundError as missing:
        raise CommandError(
            f"`{command[0]}` is not installed; `make up` installs what the sandbox needs"
        ) from missing
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise CommandError(f"`{' '.join(command)}` failed with code {done.returncode}: {words}")
    return done.stdout


def succeeds(*command: str) -> bool:
    """Whether `command` ends with code 0."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
