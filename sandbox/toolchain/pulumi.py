"""The Pulumi CLI, and the scripts with which a language host runs Python programs.

An installed Pulumi is used if its Python language host lies beside it. A Pulumi built here has none (its
source is not published as a Go module), so the sandbox's own stands in (view.py puts it beside the CLI); the
scripts that such a host starts are part of the SDK's module.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.go import GoStep, download
from sandbox.toolchain.shell import Shell

LANGUAGE_HOST = "pulumi-language-python"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
#: Script -> its place in the SDK's module.
_SCRIPTS = {
    "pulumi-language-python-exec": "python/cmd",
    "pulumi-resource-pulumi-python": "python/dist",
}


@dataclass(frozen=True, kw_only=True)
class PulumiStep(GoStep):
    @property
    def programs(self) -> Mapping[str, str]:
        names = [*self.module.programs, *_SCRIPTS]
        if self.language_host(self.entry.path):
            names.append(LANGUAGE_HOST)
        return {name: f"bin/{name}" for name in names}

    @staticmethod
    def language_host(folder: Path) -> bool:
        """Whether the Pulumi in `folder` comes with its Python language host."""
        return (folder / "bin" / LANGUAGE_HOST).exists()

    def make(self, target: Path, shell: Shell) -> None:
        found = self.find()
        if found is None:
            self.build(target, shell)
            return
        (target / "bin").mkdir()
        beside = found["pulumi"].resolve().parent
        for path in beside.iterdir():
            if path.name == "pulumi" or path.name.startswith("pulumi-"):
                (target / "bin" / path.name).symlink_to(path)

    def find(self) -> Mapping[str, Path] | None:
        found = super().find()
        if found is None:
            return None
        beside = found["pulumi"].resolve().parent
        return found if all((beside / name).exists() for name in (LANGUAGE_HOST, *_SCRIPTS)) else None

    def build(self, target: Path, shell: Shell) -> None:
        super().build(target, shell)
        self._scripts(target, shell)

    def verify(self, folder: Path) -> None:
        super().verify(folder)
        missing = [name for name in _SCRIPTS if not (folder / "bin" / name).exists()]
        if missing:
            raise ToolchainError(
                f"{folder} lacks {', '.join(missing)}", remedy="It is made anew by the next run."
            )

    def _scripts(self, target: Path, shell: Shell) -> None:
        source = Path(download(shell, _SDK, self.version)["Dir"])
        for name, folder in _SCRIPTS.items():
            shutil.copyfile(source / folder / name, target / "bin" / name)
            (target / "bin" / name).chmod(0o755)
