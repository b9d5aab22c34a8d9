"""Debian packages: daemons and tools that the sandbox starts itself, so that none may start on its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from sandbox.toolchain.shell import Shell
from sandbox.toolchain.step import Step

#: Asked by every package's scripts before they start a service; 101 forbids it.
_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_MARK = "# Written by agents-sandbox while it installs packages; safe to remove."
_POLICY_TEXT = f"#!/bin/sh\n{_POLICY_MARK}\nexit 101\n"
_LOCK = Path("/run/lock/agents-sandbox-debian.lock")
_APT = (
    "apt-get",
    "--yes",
    "--no-install-recommends",
    # Another run of apt is waited for instead of failing.
    "--option=DPkg::Lock::Timeout=600",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
)


@dataclass(frozen=True, kw_only=True)
class DebianStep(Step):
    packages: tuple[str, ...]

    @property
    def name(self) -> str:
        return "debian-packages"

    @property
    def disk(self) -> int:
        return 700

    @property
    def remedy(self) -> str:
        return "Try `apt-get update`; `dpkg --configure -a` repairs an interrupted installation."

    def ready(self) -> bool:
        return not self.missing()

    def missing(self) -> list[str]:
        done = subprocess.run(
            ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *self.packages],
            capture_output=True,
            text=True,
            check=False,
        )
        installed = {
            line.partition(" ")[0] for line in done.stdout.splitlines() if line.endswith(" installed")
        }
        return [package for package in self.packages if package not in installed]

    def run(self, shell: Shell) -> None:
        env = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
        with FileLock(_LOCK), _no_service_starts():
            missing = self.missing()
            if not missing:
                return
            shell.run("dpkg", "--configure", "--pending", env=env, privileged=True)
            shell.run("apt-get", "update", env=env, privileged=True)
            shell.run(*_APT, "install", *missing, env=env, privileged=True)
            _disable(missing, shell)


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Keep packages' scripts from starting services, unless the machine already does."""
    ours = not _POLICY.exists() or _POLICY_MARK in _POLICY.read_text()
    if ours:
        _POLICY.write_text(_POLICY_TEXT)
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def _disable(packages: list[str], shell: Shell) -> None:
    """Keep the services of packages that came with us from running, now and after the next boot."""
    listing = subprocess.run(
        ["dpkg-query", "--listfiles", *packages], capture_output=True, text=True, check=False
    )
    units = [
        Path(line).name
        for line in listing.stdout.splitlines()
        if "/systemd/system/" in line and line.endswith(".service") and "@" not in line
    ]
    if units and shutil.which("systemctl"):
        now = ["--now"] if Path("/run/systemd/system").exists() else []
        shell.run("systemctl", "disable", *now, *units, privileged=True)
