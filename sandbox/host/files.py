"""Writing files so that a kill at any moment leaves the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def write(path: Path, text: str, *, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Replace `path` as a whole, with this mode and owner (uid, gid)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        if owner is not None:
            os.chown(temporary, *owner)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_if_changed(
    path: Path, text: str, *, mode: int = 0o644, owner: tuple[int, int] | None = None
) -> bool:
    """Whether it had to be written."""
    if path.is_file() and path.read_text() == text:
        return False
    write(path, text, mode=mode, owner=owner)
    return True


def rewrite(path: Path, text: str) -> None:
    """Replace the content of a file that is not ours, keeping its owner, mode and attributes.

    A bind-mounted file (as /etc/hosts is in containers) cannot be renamed over: it is written in place.
    """
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        status = target.stat()
        shutil.copystat(target, temporary)
        os.chown(temporary, status.st_uid, status.st_gid)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno not in {errno.EBUSY, errno.EXDEV, errno.EPERM, errno.ENOTSUP}:
            raise
        _write_in_place(target, text)


def _write_in_place(path: Path, text: str) -> None:
    with path.open("r+") as stream:
        stream.write(text)
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    """Exclusive lock on the file itself, which must exist. Holds also where it is replaced by rename:
    after the wait the lock is only taken for good if the path still names the locked file.
    """
    while True:
        with path.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            here, there = os.fstat(stream.fileno()), _stat(path)
            if there is not None and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                yield stream
                return


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
