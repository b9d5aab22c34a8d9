"""The typed view of versions.toml, the one file that pins every version of the toolchain."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.toolchain.errors import ToolchainError

FOLDER = Path(__file__).parent
FILE = FOLDER / "versions.toml"


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
    )


class Requirements(_Table):
    """What the machine must have; `memory` is GiB."""

    debian: str
    python: str
    go: str
    node: str
    memory: int


class Python(_Table):
    uv: str
    pip: str
    azure_cli: str


class Debian(_Table):
    packages: tuple[str, ...]


class GoModule(_Table):
    """One Go module and the programs built from it. `disk` is what the build needs, in MiB."""

    module: str
    version: str
    programs: Mapping[str, str]
    variables: tuple[str, ...] = ()
    probe: tuple[str, ...]
    probes: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    disk: int

    def package(self, program: str) -> str:
        return f"{self.module}/{self.programs[program]}".rstrip("/")

    def probe_of(self, program: str) -> tuple[str, ...]:
        """Arguments that make `program` print its version."""
        return self.probes.get(program, self.probe)


class Chart(_Table):
    """A Helm chart whose Go module holds it. `definitions` is a folder of YAML files in the module."""

    module: str
    version: str
    definitions: str
    schema_file: str


class Images(_Table):
    """References of the images made here; `{version}` stands for the program's."""

    python: str
    pause: str
    coredns: str
    metrics_server: str
    suite: str
    packages: tuple[str, ...]
    application: tuple[str, ...]


class Versions(_Table):
    requires: Requirements
    python: Python
    npm: Mapping[str, str]
    debian: Debian
    go: Mapping[str, GoModule]
    charts: Mapping[str, Chart]
    images: Images


def parse(text: str) -> Versions:
    """Raises ToolchainError that names each key at fault."""
    try:
        return Versions.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ToolchainError(f"{FILE}: {error}", remedy="Correct the file's syntax.") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        )
        raise ToolchainError(f"{FILE}: {faults}", remedy="Correct these keys.") from None


@cache
def versions() -> Versions:
    """The pinned versions, read once per process."""
    return parse(FILE.read_text())
