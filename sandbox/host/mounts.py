"""Mounts of this machine, as the kernel lists them, and taking away those of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.host.command import attempt

_MOUNTINFO = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Mount:
    """`target` is where, `kind` is the file system's type."""

    target: Path
    kind: str


def parse(mountinfo: str) -> list[Mount]:
    """In mount order. The format is that of proc_pid_mountinfo(5): blanks are written as octal escapes."""
    mounts = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if len(fields) < 6 or not tail[0]:
            continue
        mounts.append(Mount(Path(_plain(fields[4])), tail[0]))
    return mounts


def mounts() -> list[Mount]:
    return parse(_MOUNTINFO.read_text())


def is_mounted(path: Path) -> bool:
    return any(mount.target == path for mount in mounts())


def below(folder: Path) -> list[Path]:
    """Mount points under `folder`, the innermost and latest first."""
    inside = [mount.target for mount in mounts() if mount.target.is_relative_to(folder)]
    return inside[::-1]


def unmount_below(folder: Path) -> int:
    """Unmount everything under `folder`; what is busy is detached. Returns how many there were."""
    targets = below(folder)
    for target in targets:
        if attempt(["umount", "--no-canonicalize", str(target)]).returncode != 0:
            attempt(["umount", "--no-canonicalize", "--lazy", str(target)])
    return len(targets)


def _plain(text: str) -> str:
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
