"""Print the folder of a suitable uv, installing the pinned one first if need be. For the Makefile.

Runs under the system's Python with nothing installed: standard library only. uv goes into a virtual
environment in the cache; a link in the first writable folder of PATH makes it a command.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.config import Config, invoking_user

_VERSIONS = Path(__file__).with_name("versions.toml")


def main() -> None:
    wanted = tomllib.loads(_VERSIONS.read_text())["python"]["uv"]
    cache = Config().cache
    ours = cache / f"uv-{wanted}" / "bin" / "uv"
    found = shutil.which("uv")
    if found is not None and _suitable(Path(found), wanted):
        print(Path(found).parent)  # noqa: T201
        return
    if not _suitable(ours, wanted):
        _install(wanted, cache)
    _link(ours)
    print(ours.parent)  # noqa: T201


def _suitable(program: Path, wanted: str) -> bool:
    """Whether it runs and is of the wanted minor version or newer."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    numbers = re.search(r"(\d+)\.(\d+)", said.stdout)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= _minor(wanted)


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def _install(version: str, cache: Path) -> None:
    """Make the virtual environment under a lock and in one rename, so that it is whole or absent."""
    _make_folders(cache)
    target = cache / f"uv-{version}"
    with (cache / ".uv.lock").open("w") as lock:
        _give_back(cache / ".uv.lock")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _suitable(target / "bin" / "uv", version):
            return
        _say(f"uv {version} is missing: installing it into {target}")
        with tempfile.TemporaryDirectory(dir=cache, prefix=f".uv-{version}.") as name:
            venv = Path(name) / "venv"
            _run(
                [sys.executable, "-m", "venv", str(venv)],
                "Install Python's venv module (`apt-get install python3-venv`), then run it again.",
            )
            _run(
                [str(venv / "bin" / "pip"), "install", "--quiet", f"uv=={version}"],
                "Check that pip reaches its package index, then run it again.",
            )
            if target.exists():
                target.rename(Path(name) / "broken")
            venv.rename(target)
            _give_back(target)


def _link(program: Path) -> None:
    """Make `uv` a command, said aloud; where nothing of PATH is writable, say what to add to it."""
    places = [Path(invoking_user().pw_dir) / ".local" / "bin", Path("/usr/local/bin")]
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    for folder in places:
        if str(folder) not in on_path or not os.access(folder, os.W_OK):
            continue
        link = folder / "uv"
        if link.exists() and not link.is_symlink():
            continue
        if not (link.is_symlink() and link.readlink() == program):
            link.unlink(missing_ok=True)
            link.symlink_to(program)
            _say(f"uv is now a command: {link} -> {program}")
        return
    _say(f"To use uv yourself, put it on PATH: export PATH={program.parent}:$PATH")


def _run(command: list[str], remedy: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        _refuse(f"{' '.join(command)} failed:\n{tail}\n{remedy}")


def _make_folders(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        _give_back(path)


def _give_back(folder: Path) -> None:
    """Under sudo, what lies in the user's home belongs to the user."""
    user = invoking_user()
    if os.geteuid() == 0 and user.pw_uid != 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def _refuse(text: str) -> NoReturn:
    sys.exit(text)


if __name__ == "__main__":
    main()
