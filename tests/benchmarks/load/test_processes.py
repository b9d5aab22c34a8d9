"""Processes of a run: nothing of them outlives it, and what went wrong is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.load.environments import ROOT
from benchmarks.load.processes import Process, StartError, free_port
from tests import waiting

pytestmark = pytest.mark.slow

_HOLDER = """
import sys
from pathlib import Path
from benchmarks.load.__main__ import _end
import signal
from benchmarks.load.processes import Process
signal.signal(signal.SIGTERM, _end)
port, folder = sys.argv[1], Path(sys.argv[2])
command = (sys.executable, "-m", "benchmarks.load.stubs.model", port)
with Process("model", command, f"http://127.0.0.1:{port}/v1/models", folder) as process:
    print(process._process.pid, flush=True)
    signal.pause()
"""


def test_a_process_is_weighed_and_ended(tmp_path: Path) -> None:
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.load.stubs.model", str(port))
    with Process("model", command, f"http://127.0.0.1:{port}/v1/models", tmp_path, cpus=[0]) as process:
        pid = process._process.pid
        assert psutil.Process(pid).cpu_affinity() == [0]
        weight = process.weigh()
        assert weight.cpu_seconds > 0
        assert weight.peak_mib > 10
    assert not psutil.pid_exists(pid)


def test_one_that_ends_at_once_says_why(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "print('no such port'); raise SystemExit(3)")
    with pytest.raises(StartError, match=r"broken ended with 3:\nno such port"):
        Process("broken", command, f"http://127.0.0.1:{free_port()}/", tmp_path).__enter__()


def test_one_that_is_never_ready_is_ended_with_what_it_started(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True); c.wait()"
    )
    process = Process(
        "slow", (sys.executable, "-c", script), f"http://127.0.0.1:{free_port()}/", tmp_path, seconds=2
    )
    with pytest.raises(StartError, match="slow is not ready within 2 s"):
        process.__enter__()
    child = int((tmp_path / "slow.log").read_text())
    waiting.until(lambda: not _alive(child), seconds=10, what="the child's end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_what_it_started(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(free_port()), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout
        child = int(run.stdout.readline())
        assert _alive(child)
        os.kill(run.pid, number)
        run.wait(20)
    waiting.until(lambda: not _alive(child), seconds=10, what="the child's end")


def _alive(pid: int) -> bool:
    """A process that has ended and that nobody asked about yet is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
