"""Runs other programs for one step: as the invoking user unless told otherwise, output into its log."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.config import invoking_user

#: Variables that would make a program work on the project's virtualenv instead of its own.
_FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT")

#: Started through this, a program does not go on when we are killed outright.
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
#: Seconds from the request to end to the end.
_GRACE = 5
#: Characters of a failed program's output that its error quotes.
_QUOTED = 500


class CommandError(Exception):
    """`code` is the program's exit code, negative when a signal ended it."""

    def __init__(self, command: Sequence[str], code: int, output: str = "") -> None:
        super().__init__(f"{' '.join(command)} ended with code {code}{output and ': '}{output.strip()}")
        self.code = code


def as_owner(path: Path) -> None:
    """Give `path` (not what lies in it) to the invoking user; a no-op unless root acts for somebody else."""
    user = invoking_user()
    if os.geteuid() == 0 and user.pw_uid != 0:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each the invoking user's."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        as_owner(folder)


class Shell:
    """One step's way to run programs. `stop` ends what runs, from another thread."""

    def __init__(self, log: Path) -> None:
        self.log = log
        make_folder(log.parent)
        log.write_text("")
        as_owner(log)
        self._running: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def run(
        self,
        *command: str | Path,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
        privileged: bool = False,
    ) -> None:
        """Run to the end, output into the log. Raises CommandError.

        `privileged` keeps root's rights; without it, root acting through sudo runs as the invoking user, so
        that caches and downloads stay that user's own.
        """
        self._run(command, folder, env, privileged, capture=False)

    def read(
        self,
        *command: str | Path,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
        privileged: bool = False,
    ) -> str:
        """As `run`, for what a program writes to its standard output."""
        return self._run(command, folder, env, privileged, capture=True)

    def stop(self) -> None:
        """End the running program and its children; later ones are refused."""
        with self._lock:
            self._stopped = True
            process = self._running
        if process is None:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                return
            os.killpg(process.pid, kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)

    def _run(
        self,
        command: Sequence[str | Path],
        folder: Path | None,
        env: Mapping[str, str] | None,
        privileged: bool,
        *,
        capture: bool,
    ) -> str:
        arguments = [str(part) for part in command]
        user = None if privileged else invoking_user()
        with self.log.open("a") as log, self._lock:
            if self._stopped:
                raise CommandError(arguments, -signal.SIGTERM)
            log.write(f"$ {' '.join(arguments)}\n")
            log.flush()
            process = subprocess.Popen(
                [*_ENDS_WITH_US, *arguments],
                cwd=folder or Path("/"),
                env=environment(user) | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if capture else log,
                stderr=log,
                text=True,
                errors="replace",
                start_new_session=True,
                **(identity(user) if user is not None else {}),
            )
            self._running = process
        output, _ = process.communicate()
        if process.returncode != 0:
            raise CommandError(arguments, process.returncode, (output or "")[-_QUOTED:])
        return output or ""


def environment(user: pwd.struct_passwd | None = None) -> dict[str, str]:
    """Our own environment less what is the project's virtualenv's, with the user's home."""
    own = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    if sys.prefix != sys.base_prefix:
        folders = own.get("PATH", "").split(os.pathsep)
        own["PATH"] = os.pathsep.join(folder for folder in folders if folder != f"{sys.prefix}/bin")
    if user is not None:
        own |= {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}
    return own


def query(*command: str | Path, folder: Path = Path("/"), env: Mapping[str, str] | None = None) -> str:
    """What a quick program says, run as the invoking user. Raises CommandError and OSError.

    It gives up after a minute with subprocess.TimeoutExpired.
    """
    arguments = [str(part) for part in command]
    user = invoking_user()
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=environment(user) | dict(env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
        **identity(user),
    )
    if done.returncode != 0:
        raise CommandError(arguments, done.returncode, done.stdout)
    return str(done.stdout)


def uv() -> str:
    """The uv that runs us (it says so in UV), else the one on PATH."""
    return os.environ.get("UV", "uv")


def base_python() -> Path:
    """The interpreter under the project's virtualenv: what outlives the checkout may not depend on it."""
    return Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"


def identity(user: pwd.struct_passwd) -> dict[str, Any]:
    """Arguments that make `subprocess` run a program as `user`; none when we are that user, or may not."""
    if os.geteuid() != 0 or user.pw_uid == 0:
        return {}
    return {
        "user": user.pw_uid,
        "group": user.pw_gid,
        "extra_groups": os.getgrouplist(user.pw_name, user.pw_gid),
    }
