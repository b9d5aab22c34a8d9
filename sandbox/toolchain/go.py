"""Go programs, built from their published modules.

`go install package@version` refuses modules with `replace` lines, so each is built from a throw-away module
that has it as a tool dependency. Versions of all dependencies follow from the module's own (Go's minimal
version selection), and Go's checksum database vouches for their content: the build is repeatable.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenacity import retry, retry_if_exception, stop_after_attempt, wait_exponential

from sandbox.toolchain.shell import CommandError, Shell, as_owner, make_folder
from sandbox.toolchain.step import EntryStep, on_path, probe, require_version, suitable
from sandbox.toolchain.versions import GoModule

#: Go gives up at the first failed look-up or connection; a second attempt keeps what the first one fetched.
_fetching = retry(
    retry=retry_if_exception(lambda error: isinstance(error, CommandError) and error.code > 0),
    stop=stop_after_attempt(3),
    wait=wait_exponential(multiplier=2, max=10),
    reraise=True,
)


@dataclass(frozen=True, kw_only=True)
class GoStep(EntryStep):
    module: GoModule
    label: str

    @property
    def name(self) -> str:
        return self.label

    @property
    def version(self) -> str:
        return self.module.version

    @property
    def disk(self) -> int:
        return self.module.disk

    @property
    def remedy(self) -> str:
        return (
            "Check that `go` can fetch modules (`go env GOPROXY GOSUMDB`) and that disk and memory suffice "
            "(`df -h`, `free -h`), then run it again: what was compiled so far is kept."
        )

    @property
    def programs(self) -> Mapping[str, str]:
        return {program: f"bin/{program}" for program in self.module.programs}

    def find(self) -> Mapping[str, Path] | None:
        found = {program: on_path(program, self.cache) for program in self.module.programs}
        usable = {
            program: path
            for program, path in found.items()
            if path is not None and suitable(probe(path, self.module.probe_of(program)), self.version)
        }
        return usable if len(usable) == len(found) else None

    def build(self, target: Path, shell: Shell) -> None:
        with tempfile.TemporaryDirectory(prefix=f"{self.label}-") as name:
            folder = Path(name)
            as_owner(folder)
            self._go_mod(folder, shell)
            packages = [self.module.package(program) for program in self.module.programs]
            wanted = [f"{package}@v{self.version}" for package in packages]
            _fetching(self._go)(shell, folder, "get", "-tool", *wanted)
            flags = " ".join(["-s", "-w", *(f"-X {name}=v{self.version}" for name in self.module.variables)])
            for program in self.module.programs:
                place = target / self.programs[program]
                make_folder(place.parent)
                self._go(shell, folder, "build", "-ldflags", flags, "-o", place, self.module.package(program))

    def verify(self, folder: Path) -> None:
        for program in self.module.programs:
            place = self.programs[program]
            require_version(folder / place, self.module.probe_of(program), self.version)

    def _go_mod(self, folder: Path, shell: Shell) -> None:
        """Write the throw-away module, with a replacement for each module that only exists in the wanted
        one's source tree (Kubernetes' staging modules, published as v0.X.Y for Kubernetes 1.X.Y)."""
        described = download(shell, self.module.module, self.version)
        edited = json.loads(_ask_go(shell, "mod", "edit", "-json", described["GoMod"]))
        lines = ["module tools", f"go {edited['Go']}"]
        staging = f"v0.{self.version.partition('.')[2]}"
        for replacement in edited.get("Replace") or []:
            if replacement["New"]["Path"].startswith("./staging/"):
                name = replacement["Old"]["Path"]
                lines.append(f"replace {name} => {name} {staging}")
        file = folder / "go.mod"
        file.write_text("\n".join(lines) + "\n")
        as_owner(file)

    @staticmethod
    def _go(shell: Shell, folder: Path, *arguments: str | Path) -> None:
        shell.run("go", *arguments, folder=folder, env=_env())


def download(shell: Shell, module: str, version: str) -> Mapping[str, str]:
    """What Go says of a module that it has fetched and checked: `Dir` is its source, `GoMod` its go.mod."""
    source = f"{module}@v{version}"
    found: Mapping[str, str] = json.loads(_fetching(_ask_go)(shell, "mod", "download", "-json", source))
    return found


def _ask_go(shell: Shell, *arguments: str) -> str:
    return shell.read("go", *arguments, env=_env())


def _env() -> dict[str, str]:
    flags = f"{os.environ.get('GOFLAGS', '')} -mod=mod -buildvcs=false".strip()
    return {"GOFLAGS": flags, "CGO_ENABLED": "0"}
