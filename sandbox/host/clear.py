"""Taking away every trace of the sandbox but its state. Needs no process of ours to be alive.

Processes are found by cgroup and namespace, namespaces and links by the names we gave them, mounts by lying
under our folders.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from sandbox.config import Config
from sandbox.host import kernel, mounts, network, processes
from sandbox.host.cgroup import Cgroup
from sandbox.host.errors import HostError
from sandbox.host.hosts import HostNames
from sandbox.host.supervisor import Programs


def clear(config: Config) -> int:
    """Repeatable; the number of processes that had to be ended. Raises HostError for what will not go."""
    cgroup = Cgroup(config.cgroup)

    def ours() -> set[int]:
        return (cgroup.pids() | network.pids(config)) - {os.getpid()}

    found = ours()
    pods = network.pods_by_inode(_namespaces(found))
    # In good order where there is a supervisor, and without its restarting what is ended.
    supervised = Programs(config)
    if supervised.is_alive():
        with contextlib.suppress(HostError):
            supervised.stop_all()
    processes.end_all(ours)
    mounts.unmount_below(config.state.resolve())
    network.remove(config, pods)
    cgroup.remove()
    kernel.restore_limits(config)
    HostNames(config).remove_all()
    shutil.rmtree(config.run, ignore_errors=True)
    return len(found)


def remove_state(config: Config) -> None:
    """Remove the state folder, which nothing may use any more. The lock, which is held, goes last."""
    if left := mounts.below(config.state.resolve()):
        raise HostError(f"{left[0]} is still mounted; `umount --lazy {left[0]}`, then run this again")
    for path in sorted(config.state.iterdir(), key=lambda path: path.name == "lock"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    with contextlib.suppress(OSError):  # the next command, which waited for this one, has begun
        config.state.rmdir()


def _namespaces(pids: Collection[int]) -> set[int]:
    """Inodes of the network namespaces that these processes live in."""
    found = set()
    for pid in pids:
        try:
            found.add(Path(f"/proc/{pid}/ns/net").stat().st_ino)
        except OSError:
            continue
    return found
