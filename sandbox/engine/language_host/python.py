"""Which Python runs a Pulumi program, and in what environment.

The options are those of `runtime.options` in Pulumi.yaml, with the official language host's meaning:
`virtualenv` is a folder relative to the project's root; `toolchain: uv` means the project's `.venv` unless
`virtualenv` says otherwise; without either, `PULUMI_PYTHON_CMD`, `python3` or `python` on PATH.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pulumi.runtime.proto import language_pb2

from sandbox.config import Config
from sandbox.engine.failures import PlugError
from sandbox.engine.values import decode

TOOLCHAINS = ("pip", "uv")


@dataclass(frozen=True)
class Python:
    """An interpreter and the environment programs under it get."""

    executable: Path
    environment: Mapping[str, str]
    virtualenv: Path | None


@dataclass(frozen=True)
class Options:
    toolchain: str
    #: Absolute; None when the program uses no virtual environment.
    virtualenv: Path | None


def options(info: language_pb2.ProgramInfo) -> Options:
    """Raises PlugError for a toolchain this host does not know."""
    given = decode(info.options)
    toolchain = given.get("toolchain") or "pip"
    if toolchain not in TOOLCHAINS:
        raise PlugError(
            f"Pulumi.yaml: runtime.options.toolchain is {toolchain!r}; this language host knows "
            f"{' and '.join(TOOLCHAINS)}"
        )
    name = given.get("virtualenv") or (".venv" if toolchain == "uv" else None)
    root = Path(info.root_directory or info.program_directory)
    return Options(toolchain, (root / name).absolute() if name else None)


def find(info: language_pb2.ProgramInfo) -> Python:
    """The program's interpreter. Raises PlugError, with the remedy, when there is none."""
    chosen = options(info)
    environment = _with_bytecode(os.environ)
    if chosen.virtualenv is None:
        return Python(_on_path(), environment, None)
    executable = chosen.virtualenv / "bin" / "python"
    if not executable.exists():
        problem = "is not a virtual environment" if chosen.virtualenv.exists() else "does not exist"
        raise PlugError(
            f"Pulumi.yaml: the program's virtual environment {chosen.virtualenv} {problem}; "
            f"`{_remedy(chosen)}` creates it"
        )
    environment["VIRTUAL_ENV"] = str(chosen.virtualenv)
    environment["PATH"] = f"{executable.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment.pop("PYTHONHOME", None)
    return Python(executable, environment, chosen.virtualenv)


def _with_bytecode(environment: Mapping[str, str]) -> dict[str, str]:
    """The SDKs' thousands of modules take seconds to compile, in every run where bytecode may not be kept.

    Where it may not be kept beside the sources (as in many containers), it is kept in the sandbox's cache.
    """
    found = dict(environment)
    if found.pop("PYTHONDONTWRITEBYTECODE", None):
        found.setdefault("PYTHONPYCACHEPREFIX", str(Config().cache / "bytecode"))
    return found


def _remedy(chosen: Options) -> str:
    return "uv sync" if chosen.toolchain == "uv" else "pulumi install"


def _on_path() -> Path:
    names = [name for name in (os.environ.get("PULUMI_PYTHON_CMD"), "python3", "python") if name]
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    raise PlugError(f"no Python found on PATH (looked for {', '.join(names)})")
