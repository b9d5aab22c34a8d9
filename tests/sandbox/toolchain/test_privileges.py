"""Without root a command starts over through sudo, and keeps what it was told."""

from __future__ import annotations

import os
import sys

import pytest

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.privileges import become_root


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "execv", lambda program, command: calls.append([program, *command[1:]]))
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/sudo")
    return calls


def test_root_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started over"))
    become_root("sandbox.cli", ["up"])


def test_a_user_starts_over_with_the_same_arguments(executed: list[list[str]]) -> None:
    become_root("sandbox.cli", ["logs", "azure", "-n 5"])
    (command,) = executed
    assert command[0] == "/usr/bin/sudo"
    assert command[-6:] == [sys.executable, "-m", "sandbox.cli", "logs", "azure", "-n 5"]


def test_settings_are_kept_but_no_secret_is_shown(
    executed: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "scheme://user:password@index")
    monkeypatch.setenv("AGENTS_SANDBOX_CACHE", "/somewhere")
    monkeypatch.setenv("UNRELATED", "x")
    become_root("sandbox.cli", ["up"])
    kept = (
        next(part for part in executed[0] if part.startswith("--preserve-env=")).partition("=")[2].split(",")
    )
    assert {"PIP_INDEX_URL", "AGENTS_SANDBOX_CACHE"} <= set(kept)
    assert "UNRELATED" not in kept
    assert not any("password" in part for part in executed[0])


def test_without_sudo_the_remedy_is_told(executed: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ToolchainError, match="needs root") as caught:
        become_root("sandbox.cli", ["up"])
    assert "install sudo" in caught.value.remedy
    assert executed == []
