"""The Makefile's way to uv needs nothing but the system's Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sandbox.toolchain.versions import FOLDER, versions


def _bootstrap(path: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # -S and -E: without the project's packages.
        [sys.executable, "-S", "-E", FOLDER / "bootstrap.py"],
        env={"PATH": path, "HOME": os.environ["HOME"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_suitable_uv_on_path_is_taken(program: Callable[..., Path]) -> None:
    path = program("uv", f"uv {versions().python.uv}")
    done = _bootstrap(str(path.parent) + ":/bin")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(path.parent), "")


def test_an_old_uv_is_passed_over_for_the_caches(program: Callable[..., Path], tmp_path: Path) -> None:
    old = program("uv", "uv 0.1.0")
    cached = program("uv", f"uv {versions().python.uv}")
    place = tmp_path / "cache" / f"uv-{versions().python.uv}" / "bin"
    place.mkdir(parents=True)
    cached.rename(place / "uv")
    old = program("uv", "uv 0.1.0")
    done = _bootstrap(f"{old.parent}:/bin", AGENTS_SANDBOX_CACHE=str(tmp_path / "cache"))
    assert done.stdout.strip() == str(place)
    assert "put it on PATH" in done.stderr
