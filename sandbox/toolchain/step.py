"""One part of the toolchain: how to tell that it is there, and how to get it."""

from __future__ import annotations

import abc
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sandbox.toolchain.entry import Entry, lock
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.shell import CommandError, Shell, as_owner, environment, query

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Step(abc.ABC):
    """`needs` names the steps that must be done before; `disk` is what it takes while at work, in MiB."""

    cache: Path

    needs: tuple[str, ...] = ()

    @property
    @abc.abstractmethod
    def name(self) -> str: ...

    @property
    @abc.abstractmethod
    def disk(self) -> int: ...

    @property
    @abc.abstractmethod
    def remedy(self) -> str:
        """What to try when it fails."""

    @abc.abstractmethod
    def ready(self) -> bool:
        """Whether it is done already; fast."""

    @abc.abstractmethod
    def run(self, shell: Shell) -> None:
        """Do it. Repeatable, and safe beside another process that does the same."""


class EntryStep(Step):
    """A step whose result is one folder of the cache."""

    #: Whether a new version makes the old ones useless (they are digests of recipes, never gone back to).
    supersedes: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def version(self) -> str: ...

    @property
    def entry(self) -> Entry:
        return Entry(self.cache, f"{self.name}-{self.version}")

    @property
    def programs(self) -> Mapping[str, str]:
        """Programs that go on PATH: name -> place in the entry."""
        return {}

    def ready(self) -> bool:
        return self.entry.intact()

    def run(self, shell: Shell) -> None:
        self.entry.install(lambda target: self.make(target, shell), self.verify)

    def drop_superseded(self) -> None:
        """Remove this step's folders of other versions, if this one replaces them."""
        if not (self.supersedes and self.ready()):
            return
        for folder in self.cache.glob(f"{self.name}-*"):
            if folder != self.entry.path:
                with lock(self.cache, folder.name):
                    shutil.rmtree(folder, ignore_errors=True)

    def make(self, target: Path, shell: Shell) -> None:
        """Link what PATH has, if it is suitable, else build."""
        found = self.find()
        if found is None:
            self.build(target, shell)
            return
        for program, path in found.items():
            place = target / self.programs[program]
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(path)

    def find(self) -> Mapping[str, Path] | None:
        """The programs on PATH, if all are there and suitable."""
        return None

    @abc.abstractmethod
    def build(self, target: Path, shell: Shell) -> None:
        """Fill the folder `target`, which is renamed afterwards: nothing in it may name its place."""

    @abc.abstractmethod
    def verify(self, folder: Path) -> None:
        """Raise ToolchainError unless what is in `folder` does its work."""


def numbers(text: str) -> tuple[int, int, int] | None:
    """The first version in a text, e.g. of `go version go1.26.8 linux/amd64`."""
    match = _VERSION.search(text)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3] or 0))


def pinned(version: str) -> tuple[int, int, int]:
    found = numbers(version)
    if found is None:
        raise ToolchainError(f"'{version}' is no version", remedy="Correct versions.toml.")
    return found


def suitable(found: tuple[int, int, int] | None, wanted: str) -> bool:
    """The same major version, and the same minor version or a newer one."""
    return found is not None and found[0] == pinned(wanted)[0] and found[:2] >= pinned(wanted)[:2]


def probe(program: Path | str, arguments: Sequence[str]) -> tuple[int, int, int] | None:
    """The version that a program prints; None when it does not run or prints none."""
    # Some programs leave a process behind that still writes there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        as_owner(Path(home))
        try:
            # A home of its own: some programs leave files there even when they only print their version.
            return numbers(query(program, *arguments, env={"HOME": home}))
        except (OSError, CommandError, subprocess.TimeoutExpired):
            return None


def require_version(program: Path, arguments: Sequence[str], wanted: str) -> None:
    """Raise ToolchainError unless `program` runs and prints `wanted`, or a newer minor version of it."""
    found = probe(program, arguments)
    if not suitable(found, wanted):
        said = "does not run" if found is None else f"is version {'.'.join(map(str, found))}"
        raise ToolchainError(f"{program} {said}, not {wanted}", remedy="It is made anew by the next run.")


def on_path(program: str, cache: Path) -> Path | None:
    """Where PATH has `program`, our own cache and the project's virtualenv left out."""
    own = Path(sys.prefix) / "bin"
    folders = [
        folder
        for folder in environment().get("PATH", "").split(":")
        if folder and Path(folder) != own and not Path(folder).is_relative_to(cache)
    ]
    found = shutil.which(program, path=":".join(folders))
    return None if found is None else Path(found).absolute()
