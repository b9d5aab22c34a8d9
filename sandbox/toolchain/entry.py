"""One folder of the cache, `<cache>/<name>-<version>`: whole or absent, whatever is killed, whoever installs.

It is made in a temporary sibling and renamed, under a lock per entry that the system releases when its holder
dies. A marker inside records what the folder held when it was finished; a folder that differs from its marker
(a file missing, cut short or added) is broken and made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from sandbox.toolchain.shell import as_owner, make_folder

_MARKER = ".complete.json"
#: Written by programs as they run, so no part of what an entry must hold.
_VOLATILE = "__pycache__"


def lock(cache: Path, key: str) -> FileLock:
    """What one process at a time holds while it changes `key`; the system releases it when that dies."""
    folder = cache / ".locks"
    make_folder(folder)
    file = folder / f"{key}.lock"
    file.touch()
    as_owner(file)
    return FileLock(file)


@dataclass(frozen=True)
class Entry:
    cache: Path
    key: str

    @property
    def path(self) -> Path:
        return self.cache / self.key

    def intact(self) -> bool:
        """Whether the folder is finished and as it was when it was. Reads no file's content: it is fast."""
        try:
            marker = json.loads((self.path / _MARKER).read_text())
            return bool(marker["fingerprint"] == fingerprint(self.path))
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def install(self, build: Callable[[Path], None], verify: Callable[[Path], None]) -> None:
        """Make the folder with `build(temporary folder)` unless another process has meanwhile.

        `verify(folder)` raises when a program does not do its work. A folder without a marker, as a build by
        other means leaves it, is adopted if it passes.
        """
        with lock(self.cache, self.key):
            if self.intact() or self._adopt(verify):
                return
            self._sweep()
            temporary = Path(tempfile.mkdtemp(prefix=f".{self.key}.", dir=self.cache))
            temporary.chmod(0o755)
            as_owner(temporary)
            try:
                build(temporary)
                verify(temporary)
                _mark(temporary)
                self._replace(temporary)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _adopt(self, verify: Callable[[Path], None]) -> bool:
        if not self.path.is_dir() or (self.path / _MARKER).exists():
            return False
        try:
            verify(self.path)
        except Exception:  # noqa: BLE001 (whatever is wrong with it, it is made anew)
            return False
        _mark(self.path)
        return True

    def _sweep(self) -> None:
        """Remove what interrupted runs left; the lock says that nobody is at work on it."""
        for leftover in self.cache.glob(f".{self.key}.*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _replace(self, temporary: Path) -> None:
        if self.path.is_symlink() or self.path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{self.key}.", dir=self.cache))
            self.path.rename(old / "old")
            temporary.rename(self.path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(self.path)


def fingerprint(folder: Path) -> str:
    """A digest of every file's path and size, and of what each link that leaves the folder points at."""
    digest = hashlib.sha256()
    for line in sorted(_lines(folder, "")):
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _lines(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as items:
        for item in items:
            name = f"{prefix}{item.name}"
            if item.name == _VOLATILE or item.name.startswith(_MARKER):
                continue
            if item.is_dir(follow_symlinks=False):
                yield from _lines(Path(item.path), f"{name}/")
            elif item.is_symlink():
                yield f"{name} -> {_target(Path(item.path))}\n"
            else:
                yield f"{name} {item.stat(follow_symlinks=False).st_size}\n"


def _target(link: Path) -> str:
    """A relative link stays inside; an absolute one leaves, so that what it points at counts too."""
    target = link.readlink()
    return f"{target} {target.stat().st_size}" if target.is_absolute() else str(target)


def _mark(folder: Path) -> None:
    """Give the folder and all in it to the invoking user, then record what it holds."""
    as_owner(folder)
    for path in folder.rglob("*"):
        as_owner(path)
    text = json.dumps({"fingerprint": fingerprint(folder)})
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_MARKER)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).chmod(0o644)
    as_owner(Path(name))
    Path(name).replace(folder / _MARKER)
