"""The Azure CLI, in a virtual environment of its own: its dependencies are pinned differently from ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.shell import Shell, as_owner, base_python, uv
from sandbox.toolchain.step import EntryStep, on_path, probe, require_version, suitable
from sandbox.toolchain.versions import FOLDER

_LOCK = FOLDER / "azure-cli.lock.txt"
#: Finds the interpreter beside itself, so that the folder can be renamed once it is whole.
_LAUNCHER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/../venv/bin/python" -I -m azure.cli "$@"
"""


@dataclass(frozen=True, kw_only=True)
class AzureCliStep(EntryStep):
    wanted: str

    @property
    def name(self) -> str:
        return "azure-cli"

    @property
    def version(self) -> str:
        return self.wanted

    @property
    def disk(self) -> int:
        return 1500

    @property
    def remedy(self) -> str:
        return "Check that uv reaches its package index (`uv pip compile - <<< pip`), then run it again."

    @property
    def programs(self) -> Mapping[str, str]:
        return {"az": "bin/az"}

    def find(self) -> Mapping[str, Path] | None:
        path = on_path("az", self.cache)
        if path is None or not suitable(probe(path, ["version", "--output", "json"]), self.version):
            return None
        return {"az": path}

    def build(self, target: Path, shell: Shell) -> None:
        venv = target / "venv"
        shell.run(uv(), "venv", "--relocatable", "--no-project", "--python", base_python(), venv)
        shell.run(uv(), "pip", "install", "--compile-bytecode", "--python", venv, "--requirements", _LOCK)
        (target / "bin").mkdir()
        launcher = target / "bin" / "az"
        launcher.write_text(_LAUNCHER)
        launcher.chmod(0o755)
        as_owner(launcher)

    def verify(self, folder: Path) -> None:
        require_version(folder / "bin" / "az", ["version", "--output", "json"], self.version)
