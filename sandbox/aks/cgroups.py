"""A node's cgroup, below the sandbox's own, in every hierarchy of the machine (version 1, 2 or both).

The kubelet makes its pods' cgroups below it and expects it to exist. On version 1 a cpuset must be seeded
before it takes processes; on version 2 controllers must be handed down level by level.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

_DELEGATED = ("cpu", "cpuset", "memory", "pids", "hugetlb", "io")


def hierarchies() -> dict[Path, str]:
    """Mount point -> `cgroup` (version 1) or `cgroup2`."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind = after.split()[0]
        if kind in {"cgroup", "cgroup2"}:
            found[Path(before.split()[4])] = kind
    return found


def ensure(name: str) -> None:
    """Make the cgroup `name` (a path below the roots), with its parents."""
    for root, kind in hierarchies().items():
        path = root
        for part in name.split("/"):
            if kind == "cgroup2":
                _hand_down(path)
            path = path / part
            path.mkdir(exist_ok=True)
            if (path / "cpuset.cpus").exists() and kind == "cgroup":
                _seed(path)


def processes(name: str) -> Iterator[int]:
    """Ids of the processes in the cgroup and below it."""
    seen: set[int] = set()
    for root in hierarchies():
        for listing in (root / name).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                seen.update(int(pid) for pid in listing.read_text().split())
    yield from sorted(seen)


def remove(name: str, *, patience: float = 10) -> None:
    """Remove the cgroup and those below it. Its processes must have been ended; the kernel may take a
    moment to let go of them: raises TimeoutError after `patience` seconds."""
    deadline = time.monotonic() + patience
    for root in hierarchies():
        top = root / name
        while top.exists():
            folders = [*(path for path in top.rglob("*") if path.is_dir()), top]
            for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            if top.exists():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"The cgroup {top} is still in use by {list(processes(name))}")
                time.sleep(0.05)


def _seed(path: Path) -> None:
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not (path / name).read_text().strip():
            (path / name).write_text((path.parent / name).read_text())


def _hand_down(path: Path) -> None:
    available = (path / "cgroup.controllers").read_text().split()
    for controller in available:
        if controller in _DELEGATED:
            # A controller may be bound to a version 1 hierarchy, or refuse while the group holds processes.
            with contextlib.suppress(OSError):
                (path / "cgroup.subtree_control").write_text(f"+{controller}")
