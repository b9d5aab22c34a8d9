"""What a program depends on, and installing it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
from pulumi.runtime.proto import language_pb2

from sandbox.engine.failures import PlugError
from sandbox.engine.language_host import process, python

# Runs under the program's Python, which may have nothing installed but the program's packages.
_LIST = """
import importlib.metadata as m, json, re
names = {}
needed = set()
for d in m.distributions():
    names[re.sub("[-_.]+", "-", d.metadata["Name"]).lower()] = (d.metadata["Name"], d.version)
    for r in d.requires or ():
        if "extra ==" not in r:
            needed.add(re.sub("[-_.]+", "-", re.match("[A-Za-z0-9._-]+", r).group()).lower())
print(json.dumps([(*v, k in needed) for k, v in sorted(names.items())]))
"""


def installed(info: language_pb2.ProgramInfo, *, transitive: bool) -> list[tuple[str, str]]:
    """(name, version) of the program's packages; without `transitive` only those nothing else requires."""
    interpreter = python.find(info)
    found = subprocess.run(
        [str(interpreter.executable), "-c", _LIST],
        env=dict(interpreter.environment),
        cwd=info.program_directory or None,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        raise PlugError(f"{interpreter.executable} cannot list its packages: {found.stderr.strip()}")
    return [(name, version) for name, version, needed in json.loads(found.stdout) if transitive or not needed]


def install(
    info: language_pb2.ProgramInfo, context: grpc.ServicerContext
) -> Iterator[language_pb2.InstallDependenciesResponse]:
    """`pulumi install`: make the virtual environment and install into it, streaming what the tools say."""
    for command in _commands(info):
        child = process.start(
            command,
            environment=_environment(),
            directory=info.program_directory,
            piped=True,
        )
        process.tie(child, context)
        for name, data in process.output(child):
            if name == "stdout":
                yield language_pb2.InstallDependenciesResponse(stdout=data)
            else:
                yield language_pb2.InstallDependenciesResponse(stderr=data)
        if code := child.wait():
            raise PlugError(f"`{' '.join(command)}` failed with exit code {code}")


def _commands(info: language_pb2.ProgramInfo) -> list[list[str]]:
    chosen = python.options(info)
    if chosen.toolchain == "uv":
        return [["uv", "sync"]]
    system = str(python.find(language_pb2.ProgramInfo(program_directory=info.program_directory)).executable)
    if chosen.virtualenv is None:
        return [[system, "-m", "pip", "install", *part] for part in _packages(info)]
    inside = str(chosen.virtualenv / "bin" / "python")
    return [
        [system, "-m", "venv", str(chosen.virtualenv)],
        *([inside, "-m", "pip", "install", *part] for part in _packages(info)),
    ]


def _packages(info: language_pb2.ProgramInfo) -> list[list[str]]:
    directory = Path(info.program_directory)
    if (directory / "requirements.txt").exists():
        return [["-r", "requirements.txt"]]
    return [["-e", "."]] if (directory / "pyproject.toml").exists() else []


def _environment() -> dict[str, str]:
    return dict(python.find(language_pb2.ProgramInfo()).environment)
