"""Virtual environments of the measured programs, in the user's cache: made once for each list of packages.

The application's has what its container has and no more: in this project's own, uvicorn would find faster
parts that the container lacks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
APPLICATION = ROOT / "app" / "requirements.txt"
#: The newest that installs; its first line says how it was made.
LITELLM = Path(__file__).with_name("litellm.lock.txt")


def cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "agents-benchmarks"


def programs(name: str, requirements: Path) -> Path:
    """The folder of the programs, `python` among them, of an environment with exactly these packages.

    Raises CalledProcessError.
    """
    folder = cache() / f"{name}-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        _make(folder, requirements)
    return folder / "bin"


def _make(folder: Path, requirements: Path) -> None:
    """Whole or not at all: a folder that is there is complete."""
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        _uv("venv", "--relocatable", "--no-project", "--python", sys.executable, making)
        _uv(
            "pip",
            "install",
            "--compile-bytecode",
            "--require-hashes",
            "--python",
            making,
            "--requirements",
            requirements,
        )
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _uv(*arguments: str | Path) -> None:
    subprocess.run(["uv", *arguments, "--quiet"], check=True)
