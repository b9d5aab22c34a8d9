"""One `up`, `down` or `reset` at a time per sandbox; who comes second waits and says for whom."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from sandbox.config import Config
from sandbox.host.errors import HostError

Say = Callable[[str], None]

#: Folders in the state that az, kubectl and pulumi make anew, when `environment` names them.
_CLIENTS = ("user", "pulumi")


@contextlib.contextmanager
def exclusive(config: Config, action: str, say: Say) -> Iterator[None]:
    """Hold the sandbox's lock. The system frees it when its holder dies, however that happens.

    Raises HostError when the state folder is somebody else's: a folder with content but without our lock.
    """
    path = config.state / "lock"
    _check_folder(config.state, path)
    told = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    say(f"waiting for {_holder(path)}")
                    told = True
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            # `reset` removes the file with the state: then the lock is on a file that is gone.
            if not _is_current(descriptor, path):
                _check_folder(config.state, path)
                continue
            now = dt.datetime.now().astimezone().isoformat(timespec="seconds")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"`sandbox {action}` (process {os.getpid()}, since {now})".encode(), 0)
            yield
            return
        finally:
            os.close(descriptor)


def _check_folder(state: Path, lock: Path) -> None:
    """`reset` removes the folder with all that is in it, so it must be ours alone.

    A shell that still has the variables of a sandbox that was reset makes its clients' folders anew.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        foreign = not lock.exists() and any(path.name not in _CLIENTS for path in state.iterdir())
    except OSError as error:
        raise HostError(f"the state folder {state} cannot be used: {error.strerror}") from error
    if foreign:
        raise HostError(
            f"the state folder {state} holds other things than a sandbox's state; name an empty or a new "
            "folder: AGENTS_SANDBOX_STATE=/var/lib/agents-sandbox"
        )


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError):
        if text := path.read_text():
            return text
    return "another `sandbox` command"


def _is_current(descriptor: int, path: Path) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), named)
