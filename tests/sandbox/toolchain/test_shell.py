"""Programs run outside the project's virtualenv, and what they say lands in the step's log."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
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


def test_what_ignores_the_request_to_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.toolchain.shell._GRACE", 0.2)
    shell = Shell(tmp_path / "log")
    ready = tmp_path / "ready"
    command = ["sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done"]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(shell.run, *command)
        _wait(ready.exists)
        shell.stop()
        with pytest.raises(CommandError):
            running.result(timeout=10)


def test_programs_end_when_we_are_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    shell = Shell(tmp_path / "log")
    process = multiprocessing.get_context("fork").Process(
        target=shell.run, args=("sh", "-c", f"echo $$ > {pid}.new && mv {pid}.new {pid} && exec sleep 60")
    )
    process.start()
    _wait(pid.exists)
    process.kill()
    process.join()
    _wait(lambda: not psutil.pid_exists(int(pid.read_text())))


def test_a_failed_query_of_a_step_quotes_the_output(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such module"):
        Shell(tmp_path / "log").read("sh", "-c", "echo no such module; exit 1")


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.01)


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
