"""npm programs (Azurite and the Cosmos DB server), installed from a lock file."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.shell import Shell, as_owner
from sandbox.toolchain.step import EntryStep, probe
from sandbox.toolchain.versions import FOLDER

_SOURCE = FOLDER / "npm"
_FILES = ("package.json", "package-lock.json")
_PROGRAMS = ("azurite", "azurite-blob", "azurite-queue", "azurite-table", "cosmosdb-server")


@dataclass(frozen=True, kw_only=True)
class NpmStep(EntryStep):
    """`wanted` are the pinned versions by package; the lock file must hold the same."""

    wanted: Mapping[str, str]

    @property
    def name(self) -> str:
        return "npm"

    @property
    def version(self) -> str:
        """A digest of the lock: it names every package at its version."""
        return hashlib.sha256((_SOURCE / "package-lock.json").read_bytes()).hexdigest()[:8]

    @property
    def disk(self) -> int:
        return 900

    @property
    def remedy(self) -> str:
        return "Check that npm reaches its registry (`npm ping`), then run it again."

    @property
    def programs(self) -> Mapping[str, str]:
        return {program: f"node_modules/.bin/{program}" for program in _PROGRAMS}

    def build(self, target: Path, shell: Shell) -> None:
        self._check_lock()
        for file in _FILES:
            shutil.copyfile(_SOURCE / file, target / file)
            as_owner(target / file)
        shell.run("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", folder=target)

    def verify(self, folder: Path) -> None:
        for package, version in self.wanted.items():
            installed = json.loads((folder / "node_modules" / package / "package.json").read_text())[
                "version"
            ]
            if installed != version:
                raise ToolchainError(f"{package} is {installed}, not {version}", remedy=_RELOCK)
        if probe(folder / self.programs["azurite"], ["--version"]) is None:
            raise ToolchainError(
                "azurite does not start", remedy="Check `node --version`, then run it again."
            )

    def _check_lock(self) -> None:
        described = json.loads((_SOURCE / "package.json").read_text())["dependencies"]
        if described != dict(self.wanted):
            raise ToolchainError(
                f"{_SOURCE}/package.json names other versions than versions.toml", remedy=_RELOCK
            )


_RELOCK = (
    f"Make them equal and lock again: `cd {_SOURCE} && npm install --package-lock-only --ignore-scripts`."
)
