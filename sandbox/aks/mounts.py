"""A node's mount namespace: what makes a folder of the state look like a machine of its own.

Inside, `/run`, `/var/log` and `/var/lib` are the node's (containerd's and the kubelet's folders lie on
disk, the rest in memory), names are those of the sandbox's name server (the host has others), and the kernel
settings that a kubelet would change look as it wants them. Outside, only one bind mount that holds the
namespace is visible: when that is unmounted and the processes have ended, every mount the node ever made is
gone.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from sandbox.aks.shell import run, succeeds

#: Kept on disk across restarts; everything else the node writes outside the state folder is in memory.
PERSISTENT = {"containerd": "/var/lib/containerd", "kubelet": "/var/lib/kubelet", "pods": "/var/log/pods"}

#: Kernel settings that a kubelet insists on (kubernetes/pkg/kubelet/cm/container_manager_linux.go).
_KERNEL = (
    ("vm", "overcommit_memory", 1),
    ("vm", "panic_on_oom", 0),
    ("kernel", "panic", 10),
    ("kernel", "panic_on_oops", 1),
    ("kernel/keys", "root_maxkeys", 1_000_000),
    ("kernel/keys", "root_maxbytes", 25_000_000),
)


def ensure(handle: Path, *, state: Path, disk: Path, resolver: str) -> None:
    """Make the namespace held by the file `handle`; a no-op when it exists as this version makes it.

    `state` stays visible inside at its own path; `disk` holds the persistent folders. What runs in an older
    one must have been ended.
    """
    if is_current(handle, state=state, disk=disk):
        return
    remove(handle)
    for name in PERSISTENT:
        (disk / name).mkdir(parents=True, exist_ok=True)
    (disk / "resolv.conf").write_text(f"nameserver {resolver}\n")
    (disk / "hosts").write_text("127.0.0.1 localhost\n")
    handle.parent.mkdir(parents=True, exist_ok=True)
    handle.touch()
    # The kernel refuses to hold a mount namespace in a file on a shared mount.
    run("mount", "--bind", str(handle.parent), str(handle.parent))
    run("mount", "--make-private", str(handle.parent))
    script = _script(state, disk)
    run("unshare", f"--mount={handle}", "--propagation", "private", "sh", "-euc", script)
    # Last: a namespace that was begun and not finished is made anew.
    _made_by(handle).write_text(script)


def is_current(handle: Path, *, state: Path, disk: Path) -> bool:
    """Whether the namespace exists and is as this version of the sandbox makes it."""
    made_by = _made_by(handle)
    return is_namespace(handle) and made_by.is_file() and made_by.read_text() == _script(state, disk)


def remove(handle: Path) -> None:
    """Let go of the namespace; it ends with its last process."""
    _made_by(handle).unlink(missing_ok=True)
    while is_namespace(handle):
        run("umount", "--lazy", str(handle))
    while succeeds("mountpoint", "-q", str(handle.parent)):
        run("umount", "--lazy", str(handle.parent))


def is_namespace(handle: Path) -> bool:
    return handle.exists() and handle.stat().st_dev != handle.parent.stat().st_dev


def processes(handle: Path) -> list[int]:
    """Ids of the processes inside the namespace."""
    if not is_namespace(handle):
        return []
    wanted = (handle.stat().st_dev, handle.stat().st_ino)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = (process / "ns/mnt").stat()
        except OSError:
            continue
        if (stat.st_dev, stat.st_ino) == wanted:
            found.append(int(process.name))
    return found


def enter(handle: Path, *command: str) -> list[str]:
    """`command` as run inside the namespace."""
    return ["nsenter", f"--mount={handle}", "--", *command]


def _made_by(handle: Path) -> Path:
    return handle.with_suffix(".script")


def _script(state: Path, disk: Path) -> str:
    quoted_state, quoted_disk = shlex.quote(str(state)), shlex.quote(str(disk))
    lines = [
        "mount --make-rshared /",
        "mount -t tmpfs -o mode=755 tmpfs /run",
        # The state may lie below a folder that is about to be covered: keep it at hand, then put it back.
        f"mkdir /run/state && mount --rbind {quoted_state} /run/state",
        "mount -t tmpfs -o mode=755 tmpfs /var/lib",
        "mount -t tmpfs -o mode=755 tmpfs /var/log",
        f"[ -d {quoted_disk} ] || {{ mkdir -p {quoted_state}; mount --rbind /run/state {quoted_state}; }}",
        "umount -l /run/state && rmdir /run/state",
        *(
            f"mkdir -p {inside} && mount --bind {quoted_disk}/{name} {inside}"
            for name, inside in PERSISTENT.items()
        ),
        # A copy, because a mount on a single file is lost when the host replaces the file.
        "cp -a /etc /run/etc && rm -f /run/etc/hosts /run/etc/resolv.conf",
        f"cp {quoted_disk}/hosts {quoted_disk}/resolv.conf /run/etc/",
        "mount --bind /run/etc /etc",
        # The machine's kernel is not the node's to tune: the kubelet finds what it wants, and leaves it.
        "mkdir -p /run/kernel",
        *(
            f"echo {value} > /run/kernel/{name} && mount --bind /run/kernel/{name} /proc/sys/{folder}/{name}"
            for folder, name, value in _KERNEL
        ),
    ]
    return "\n".join(lines)
