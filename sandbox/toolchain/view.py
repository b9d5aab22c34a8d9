"""The folder that goes first on PATH: a link to each of the toolchain's programs."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.engine.language_host import launcher
from sandbox.toolchain.entry import lock
from sandbox.toolchain.parts import Parts
from sandbox.toolchain.pulumi import LANGUAGE_HOST
from sandbox.toolchain.shell import as_owner, make_folder


def refresh(folder: Path, parts: Parts) -> None:
    """Make `folder` hold exactly the programs of `parts`. Each name always leads somewhere meanwhile."""
    make_folder(folder)
    with lock(folder.parent, folder.name):
        wanted = {
            name: step.entry.path / place for step in parts.entries for name, place in step.programs.items()
        }
        for name, target in wanted.items():
            # The engine looks for its language host beside its own file, not beside a link to it.
            _link(folder / name, target, hard=name == "pulumi" and LANGUAGE_HOST not in wanted)
        if LANGUAGE_HOST not in wanted:
            _write(folder / LANGUAGE_HOST, launcher.script(Path(sys.executable)))
        for path in folder.iterdir():
            if path.name not in wanted and path.name != LANGUAGE_HOST:
                path.unlink()


def _link(place: Path, target: Path, *, hard: bool) -> None:
    if hard:
        if not (place.exists() and not place.is_symlink() and place.samefile(target)):
            _swap(place, lambda temporary: temporary.hardlink_to(target))
    elif not (place.is_symlink() and place.readlink() == target):
        _swap(place, lambda temporary: temporary.symlink_to(target))


def _write(place: Path, text: str) -> None:
    if not (place.is_file() and not place.is_symlink() and place.read_text() == text):

        def make(temporary: Path) -> None:
            temporary.write_text(text)
            temporary.chmod(0o755)

        _swap(place, make)


def _swap(place: Path, make: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent.parent, prefix=".bin.") as name:
        temporary = Path(name) / place.name
        make(temporary)
        as_owner(temporary)
        temporary.replace(place)
