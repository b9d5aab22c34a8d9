"""Steps run in order of their needs, two at a time; a failure stops the rest and tells what to do."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.toolchain.report import Report, StepError, duration
from sandbox.toolchain.runner import Runner
from sandbox.toolchain.shell import Shell

from .conftest import FakeStep


def _run(tmp_path: Path, *steps: FakeStep) -> str:
    output = io.StringIO()
    with Report("test", len(steps), Console(file=output, width=200)) as report:
        try:
            Runner(steps, tmp_path / "logs", report).run()
        finally:
            text = output.getvalue()
    return text


def _step(tmp_path: Path, label: str, **options: object) -> FakeStep:
    return FakeStep(tmp_path, label=label, **options)  # type: ignore[arg-type]


def test_a_step_waits_for_what_it_needs(tmp_path: Path) -> None:
    order: list[str] = []
    steps = [
        _step(tmp_path, "last", needs=("middle",), act=lambda _: order.append("last")),
        _step(tmp_path, "middle", needs=("first", "done already"), act=lambda _: order.append("middle")),
        _step(tmp_path, "first", act=lambda _: order.append("first")),
    ]
    _run(tmp_path, *steps)
    assert order == ["first", "middle", "last"]


def test_two_steps_run_at_the_same_time(tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=10)
    _run(tmp_path, *(_step(tmp_path, label, act=lambda _: meeting.wait()) for label in ("a", "b")))


def test_each_step_is_reported_with_its_time_and_what_is_left(tmp_path: Path) -> None:
    text = _run(tmp_path, _step(tmp_path, "one"), _step(tmp_path, "two", needs=("one",)))
    assert [line.split(" done in ")[0] for line in text.splitlines() if "done" in line] == [
        "test: one",
        "test: two",
    ]
    assert "1 left" in text


def test_a_failure_shows_the_last_lines_the_log_and_the_remedy(tmp_path: Path) -> None:
    def act(shell: Shell) -> None:
        shell.run("sh", "-c", "seq 1 40; echo broken >&2; exit 3")

    with pytest.raises(StepError) as caught:
        _run(tmp_path, _step(tmp_path, "part", act=act))
    message = str(caught.value)
    assert "ended with code 3" in message
    assert "| broken" in message
    assert "| 40" in message
    assert "| 20\n" not in message
    assert f"Log: {tmp_path}/logs/part.log" in message
    assert message.endswith("mend part")


def test_a_failure_ends_what_runs_beside_it_and_starts_nothing_more(tmp_path: Path) -> None:
    running = threading.Event()
    later: list[str] = []

    def sleep(shell: Shell) -> None:
        running.set()
        shell.run("sleep", "60")

    def fail(_: Shell) -> None:
        assert running.wait(10)
        raise RuntimeError("no")

    started = time.monotonic()
    with pytest.raises(StepError, match="fails failed: no"):
        _run(
            tmp_path,
            _step(tmp_path, "sleeps", act=sleep),
            _step(tmp_path, "fails", act=fail),
            _step(tmp_path, "later", act=lambda _: later.append("ran")),
        )
    assert time.monotonic() - started < 30
    assert later == []


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (7.25, "7.2 s"), (276.9, "4 min 36 s")])
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text
