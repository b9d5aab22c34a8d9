"""A machine that cannot do it is refused at once, with what is lacking and what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.toolchain import requirements
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.versions import versions


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(ToolchainError, match="this is Darwin"):
        requirements.check_machine(versions().requires)


def test_a_user_without_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(requirements, "check_release", lambda *_: None)
    with pytest.raises(ToolchainError, match="needs root") as caught:
        requirements.check_machine(versions().requires)
    assert "sudo" in caught.value.remedy


@pytest.mark.parametrize(
    ("release", "named"),
    [
        ('PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nVERSION_ID="24.04"\n', "Ubuntu 24.04"),
        ('PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\nVERSION_ID="13"\n', "Debian GNU/Linux 13"),
        ("", "an unknown system"),
    ],
)
def test_another_release_is_refused_by_name(tmp_path: Path, release: str, named: str) -> None:
    file = tmp_path / "os-release"
    file.write_text(release)
    with pytest.raises(ToolchainError, match=named):
        requirements.check_release(file, "12")


def test_the_wanted_release_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n')
    requirements.check_release(file, "12")


def test_too_little_memory_is_refused_with_both_figures(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:        4016412 kB\n")
    with pytest.raises(ToolchainError, match=r"needs 6 GiB of memory; this machine has 3\.8"):
        requirements.check_memory(file, 6)
    file.write_text("MemTotal:        6100000 kB\n")
    requirements.check_memory(file, 6)  # what a machine of nominally 6 GiB reports


def test_too_little_disk_is_refused_with_both_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 2**30))
    with pytest.raises(ToolchainError, match=r"needs 12 GiB of disk; .* has 5\.0 GiB") as caught:
        requirements.check_disk(tmp_path / "not" / "there", 10 * 1024)
    assert "AGENTS_SANDBOX_CACHE" in caught.value.remedy
    requirements.check_disk(tmp_path, 1024)


def test_an_old_or_missing_program_is_refused(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program("go", "go version go1.19.8 linux/amd64")
    monkeypatch.setenv("PATH", f"{old.parent}:/bin:/usr/bin")
    with pytest.raises(ToolchainError, match=r"go 1\.26\.0 or newer is needed, but .*/go is 1\.19\.8"):
        requirements.check_program("go", ["version"], "1.26.0", "why")
    with pytest.raises(ToolchainError, match="there is no working `gone` on PATH"):
        requirements.check_program("gone", [], "1.0.0", "why")
    requirements.check_program("go", ["version"], "1.19.8", "why")
