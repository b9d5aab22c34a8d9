"""What the machine must have before anything is touched: each lack is refused early, with what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.go import GoStep
from sandbox.toolchain.npm import NpmStep
from sandbox.toolchain.step import Step, pinned, probe
from sandbox.toolchain.versions import Requirements

_MACHINES = ("x86_64", "aarch64")
_GIB = 2**30
#: The kernel keeps some of a machine's nominal memory for itself.
_MEMORY_SLACK = 0.93
#: GiB for the sandbox's own state.
_STATE_DISK = 2


def check_machine(wanted: Requirements) -> None:
    """Raise ToolchainError unless this is a machine on which the sandbox can run at all."""
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        raise ToolchainError(
            f"The sandbox runs on Linux on {' or '.join(_MACHINES)}; this is {platform.system()} on "
            f"{platform.machine()}.",
            remedy=f"Use a Debian {wanted.debian} machine or virtual machine.",
        )
    check_release(Path("/etc/os-release"), wanted.debian)
    if os.geteuid() != 0:
        raise ToolchainError(
            "The sandbox needs root, for network namespaces and packages.",
            remedy="Run it as root, or with sudo.",
        )
    check_memory(Path("/proc/meminfo"), wanted.memory)
    check_program("node", ("--version",), wanted.node, "Node.js runs the storage and Cosmos DB servers")


def check_steps(steps: Sequence[Step], cache: Path, wanted: Requirements) -> None:
    """Raise ToolchainError unless what these steps use is there."""
    if any(isinstance(step, GoStep) for step in steps):
        check_program("go", ("version",), wanted.go, "Go builds what has to be built")
    if any(isinstance(step, NpmStep) for step in steps):
        check_program("npm", ("--version",), "7.0.0", "npm installs the storage and Cosmos DB servers")
    check_disk(cache, sum(step.disk for step in steps))


def check_release(file: Path, debian: str) -> None:
    lines = (
        dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        if file.exists()
        else {}
    )
    name, version = (lines.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))
    if (name, version) != ("debian", debian):
        found = lines.get("PRETTY_NAME", "an unknown system").strip('"')
        raise ToolchainError(
            f"The sandbox is made of Debian {debian}'s packages; this is {found}.",
            remedy=f"Use a Debian {debian} machine or virtual machine.",
        )


def check_memory(file: Path, gibibytes: int) -> None:
    kilobytes = next(
        int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith("MemTotal:")
    )
    total = kilobytes * 1024 / _GIB
    if total < gibibytes * _MEMORY_SLACK:
        raise ToolchainError(
            f"The sandbox needs {gibibytes} GiB of memory; this machine has {total:.1f}.",
            remedy="Give the machine more memory.",
        )


def check_program(name: str, arguments: Sequence[str], wanted: str, purpose: str) -> None:
    path = shutil.which(name)
    found = probe(path, arguments) if path else None
    if found is None or found < pinned(wanted):
        has = f"{path} is {'.'.join(map(str, found))}" if found else f"there is no working `{name}` on PATH"
        raise ToolchainError(
            f"{purpose}: {name} {wanted} or newer is needed, but {has}.",
            remedy=f"Install {name} {wanted} or newer and put it on PATH.",
        )


def check_disk(cache: Path, mebibytes: int) -> None:
    """The cache and the compilers' own caches usually share a file system; it is the cache's that counts."""
    folder = next(path for path in (cache, *cache.parents) if path.exists())
    needed = mebibytes / 1024 + (_STATE_DISK if mebibytes else 0)
    free = shutil.disk_usage(folder).free / _GIB
    if free < needed:
        raise ToolchainError(
            f"Installing what is missing needs {needed:.0f} GiB of disk; {folder} has {free:.1f} GiB free.",
            remedy="Free some, or put the cache elsewhere with AGENTS_SANDBOX_CACHE=/another/folder.",
        )
