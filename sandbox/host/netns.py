"""Named network namespaces (/run/netns), tolerant of what a killed process or a reboot left half made."""

from __future__ import annotations

from pathlib import Path

from sandbox.host import mounts
from sandbox.host.command import attempt, ip, ip_json, run

FOLDER = Path("/run/netns")


def path(name: str) -> Path:
    return FOLDER / name


def exists(name: str) -> bool:
    """A name whose file is not a mounted namespace (after a reboot, a kill) counts as absent."""
    return mounts.is_mounted(path(name))


def names() -> list[str]:
    """Every name in use, whether or not a namespace is mounted there."""
    return sorted(entry.name for entry in FOLDER.iterdir()) if FOLDER.is_dir() else []


def create(name: str) -> None:
    """Make the namespace with its loopback up; nothing happens when it is there."""
    if not exists(name):
        path(name).unlink(missing_ok=True)
        ip("netns", "add", name)
    ip("-n", name, "link", "set", "lo", "up")


def remove(name: str) -> None:
    """Take the name away; nothing happens when there is none. The namespace ends with its last process."""
    while exists(name):
        run(["umount", "--lazy", str(path(name))])
    path(name).unlink(missing_ok=True)


def inode(name: str) -> int:
    """What identifies the namespace behind the name (equal to that of `/proc/PID/ns/net`)."""
    return path(name).stat().st_ino


def pids(name: str) -> list[int]:
    """Processes that live in it."""
    done = attempt(["ip", "netns", "pids", name])
    return [int(word) for word in done.stdout.split()] if done.returncode == 0 else []


def set_sysctl(name: str, key: str, value: str) -> None:
    """Set one `net.` kernel setting of the namespace (never the host's)."""
    run(["nsenter", f"--net={path(name)}", "sysctl", "-q", "-w", f"{key}={value}"])


def peers(name: str) -> set[str]:
    """Names of the namespaces that the veths of this one lead into."""
    text = attempt(["ip", "-n", name, "-o", "link", "show", "type", "veth"]).stdout
    words = text.split()
    return {words[at + 1] for at, word in enumerate(words[:-1]) if word == "link-netns"}


def links(name: str) -> set[str]:
    return {link["ifname"] for link in ip_json("-n", name, "link", "show")}
