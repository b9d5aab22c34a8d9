"""Programs run outside the project's virtualenv, and what they say lands in the step's log."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sandbox.toolchain.shell import CommandError, Shell, environment, query


def test_output_is_returned_and_errors_are_logged(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "logs" / "step.log")
    assert shell.read("sh", "-c", "echo out; echo err >&2") == "out\n"
    log = shell.log.read_text()
    assert "$ sh -c" in log
    assert log.endswith("err\n")


def test_output_is_logged_in_order(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "log")
    shell.run("sh", "-c", "echo 1; echo 2 >&2; echo 3")
    assert shell.log.read_text().endswith("1\n2\n3\n")


def test_a_failure_is_raised_with_command_and_code(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="sh -c exit 4 ended with code 4"):
        Shell(tmp_path / "log").run("sh", "-c", "exit 4")


def test_a_stopped_shell_starts_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "log")
    shell.stop()
    with pytest.raises(CommandError):
        shell.run("touch", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_the_projects_virtualenv_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin:/usr/bin")
    assert "VIRTUAL_ENV" not in environment()
    if sys.prefix != sys.base_prefix:
        assert environment()["PATH"] == "/usr/bin"


def test_a_query_tells_what_went_wrong() -> None:
    assert query("echo", "hello") == "hello\n"
    with pytest.raises(CommandError, match="why"):
        query("sh", "-c", "echo why >&2; exit 1")
