"""wrk's output and wrk itself, on a stub."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.load import wrk
from benchmarks.load.processes import Process, free_port

_LINE = (
    'figures {"requests": 1000, "microseconds": 2000000, "p50": 1500, "p95": 2500, "p99": 9000, "max": 9500, '
    '"connect": 1, "read": 2, "write": 3, "status": 40, "timeout": 4}'
)


def test_figures_are_milliseconds_and_errors_are_no_answers() -> None:
    found = wrk.parse(f"Running 2s test @ http://127.0.0.1\n  2 threads\n{_LINE}\n")
    assert (found.p50, found.p95, found.p99, found.slowest) == (1.5, 2.5, 9.0, 9.5)
    assert (found.errors, found.good) == (50, 950)
    assert found.per_second == 475.0


def test_more_errors_than_answers_are_no_answers() -> None:
    found = wrk.parse(_LINE.replace('"requests": 1000', '"requests": 10'))
    assert found.good == 0
    assert found.per_second == 0


def test_what_is_no_figure_is_said() -> None:
    with pytest.raises(wrk.OutputError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_a_missing_wrk_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(wrk.MissingError, match="apt-get install wrk"):
        wrk.drive(wrk.Load("http://127.0.0.1:1/", tmp_path / "body", {}), 1, 1)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed: apt-get install wrk")
def test_wrk_posts_the_file_with_its_headers(tmp_path: Path) -> None:
    body = tmp_path / "chat.json"
    body.write_text('{"model": "m", "messages": [{"role": "user", "content": "Disk full."}]}')
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "benchmarks.load.stubs.model", str(port))
    with Process("model", command, f"{origin}/v1/models", tmp_path):
        good = wrk.drive(wrk.Load(f"{origin}/v1/chat/completions", body, {"content-type": "x/y"}), 2, 1)
        bad = wrk.drive(wrk.Load(f"{origin}/nowhere", body, {}), 1, 1)
    assert good.good > 100
    assert 0 < good.p50 <= good.p95 <= good.p99 <= good.slowest
    assert bad.good == 0
    assert bad.errors > 0
