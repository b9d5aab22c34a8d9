"""The cgroup that holds every process the sandbox starts, in every hierarchy the machine has.

Membership survives whatever kills a supervisor, so it is how our processes are found: never by name. Works
on cgroup v1, v2 and hybrid machines. The tree is `<name>/daemons` for the sandbox's own processes; AKS nodes
put theirs beside it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.host import mounts
from sandbox.host.errors import HostError

_LEAF = "daemons"


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup file system; `unified` is version 2."""

    folder: Path
    unified: bool


def hierarchies() -> list[Hierarchy]:
    found: dict[Path, Hierarchy] = {}
    for mount in mounts.mounts():
        if mount.kind in {"cgroup", "cgroup2"} and mount.target.is_relative_to("/sys/fs/cgroup"):
            found[mount.target] = Hierarchy(mount.target, mount.kind == "cgroup2")
    return list(found.values())


class Cgroup:
    """The sandbox's cgroup, `name` below the root of every hierarchy."""

    def __init__(self, name: str, tree: Iterable[Hierarchy] | None = None) -> None:
        self.name = name
        self._hierarchies = list(hierarchies() if tree is None else tree)

    def create(self) -> None:
        """Make the tree; repeatable."""
        if not self._hierarchies:
            raise HostError("no cgroup file system is mounted; the sandbox needs one under /sys/fs/cgroup")
        for hierarchy in self._hierarchies:
            top = hierarchy.folder / self.name
            for folder in (top, top / _LEAF):
                folder.mkdir(exist_ok=True)
                if not hierarchy.unified:
                    _seed_cpuset(folder)
            if hierarchy.unified:
                _delegate(hierarchy.folder)
                _delegate(top)

    def join(self) -> None:
        """Move the calling process into `<name>/daemons`; its children start there."""
        for top in self._tops():
            (top / _LEAF / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self) -> set[int]:
        """Members of the cgroup and of all below it, in any hierarchy."""
        found: set[int] = set()
        for top in self._tops():
            for folder in [top, *_below(top)]:
                with contextlib.suppress(OSError):
                    found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        # 0 stands for a process of an outer pid namespace, which cannot be named here.
        return found - {0, os.getpid()}

    def remove(self, *, deadline: float = 10.0) -> None:
        """Remove the tree, innermost first; its processes must have ended. Repeatable."""
        end = time.monotonic() + deadline
        while left := [top for top in self._tops() if not _remove_tree(top)]:
            if time.monotonic() >= end:
                raise HostError(f"cgroup {left[0]} is still busy; `cat {left[0]}/cgroup.procs` shows by whom")
            time.sleep(0.05)

    def _tops(self) -> list[Path]:
        tops = [hierarchy.folder / self.name for hierarchy in self._hierarchies]
        return [top for top in tops if top.is_dir()]


def _below(top: Path) -> list[Path]:
    """All folders under `top`, the outer before the inner; some may vanish meanwhile."""
    return [Path(root) / name for root, names, _ in os.walk(top) for name in names]


def _remove_tree(top: Path) -> bool:
    for folder in [*reversed(_below(top)), top]:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return not top.exists()


def _seed_cpuset(folder: Path) -> None:
    """A version 1 cpuset starts empty and then takes no process: copy the parent's."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = folder / name
        if file.exists() and not file.read_text().strip():
            file.write_text((folder.parent / name).read_text())


def _delegate(folder: Path) -> None:
    """Let the children of a version 2 cgroup use the controllers that the kubelet needs.

    Refused where the folder itself holds processes (we are inside a container): then only its limits lack.
    """
    for controller in (folder / "cgroup.controllers").read_text().split():
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
