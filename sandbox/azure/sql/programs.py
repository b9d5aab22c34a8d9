"""Where PostgreSQL's programs are, and how they are run as its own unprivileged user."""

from __future__ import annotations

import asyncio
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sandbox.arm.errors import ArmError

#: Whom PostgreSQL runs as: it refuses root. Debian's package makes the user.
USER = "postgres"
#: Has PostgreSQL end at once, its children with it.
IMMEDIATE_SHUTDOWN = signal.SIGQUIT
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
#: Debian keeps each major version by itself, off PATH.
_FOLDER = Path("/usr/lib/postgresql/15/bin")


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Raises ArmError 500 when it is not installed."""
    found = shutil.which(name, path=str(_FOLDER)) or shutil.which(name)
    if found is None:
        raise ArmError(
            500, "PostgresNotInstalled", f"The program {name} is missing: `make up` installs postgresql-15."
        )
    return found


async def run(*command: str, stdin: str = "", seconds: float = 300) -> str:
    """Run one of the programs as PostgreSQL's user; what it printed.

    Raises ArmError 500 with its last words when it fails, or takes longer than `seconds`.
    """
    process = await asyncio.create_subprocess_exec(
        *_as_user(command),
        # A program that reads nothing may be gone before anything is written.
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
        env=_ENVIRONMENT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(stdin.encode() or None), seconds)
    except BaseException as error:
        # A cancelled operation (its resource is being deleted) leaves no process behind.
        if process.returncode is None:
            process.kill()
            await process.wait()
        if isinstance(error, TimeoutError):
            raise _failed(command[0], f"it did not end within {seconds:.0f} s") from error
        raise
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise _failed(command[0], text.strip()[-800:])
    return text


async def spawn(*command: str, output: IO[bytes]) -> Process:
    """Start one of the programs as PostgreSQL's user; it ends with this process at the latest."""
    return await asyncio.create_subprocess_exec(
        *_as_user(command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
        env=_ENVIRONMENT,
    )


def _as_user(command: Sequence[str]) -> list[str]:
    user = (f"--reuid={USER}", f"--regid={USER}", "--init-groups")
    return ["setpriv", *user, "--pdeathsig=KILL", "--", *command]


def _failed(name: str, why: str) -> ArmError:
    return ArmError(500, "InternalServerError", f"{Path(name).name} failed: {why}")
