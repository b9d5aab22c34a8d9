"""A backlog published and then consumed, and both at once at a steady rate, each by a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load import certificate, environments, targets
from benchmarks.load.environments import ROOT
from benchmarks.load.events.figures import EventFigures

_QUEUE = "measured"
#: More than any part takes that does not hang.
_MOST_SECONDS = 240.0


class WorkerError(RuntimeError):
    """A worker failed; the message has the end of what it said."""


def measure(folder: Path, *, backlog: int, rate: float, seconds: float) -> EventFigures:
    """Raises StartError and WorkerError. `folder` takes logs and the certificate."""
    trusted = certificate.make(folder)
    with targets.cloud_stub(folder, trusted) as cloud:
        origin = targets.origin(cloud)
        httpx.put(f"{origin}/stub/queues/{_QUEUE}", verify=False).raise_for_status()  # noqa: S501 - loopback
        env = {
            **targets.agent_environment(folder, trusted, "http://127.0.0.1:9", origin),
            "EventGrid__Endpoint": f"{origin}/topics/{_QUEUE}",
        }
        reads = {"Storage__QueueEndpoint": f"{origin}/queues", "Storage__Queue": _QUEUE}
        publishes = {name: value for name, value in env.items() if not name.startswith("Storage__")}
        published = _ended(_worker(publishes, "publish", f"--count={backlog}"))
        consumed = _ended(_worker({**env, **reads}, "consume", f"--count={backlog}"))
        steady = round(rate * seconds)
        consuming = _worker({**env, **reads}, "consume", f"--count={steady}", f"--seconds={seconds + 60}")
        try:
            steadily_published = _ended(_worker(publishes, "publish", f"--count={steady}", f"--rate={rate}"))
            steadily_consumed = _ended(consuming)
        finally:
            consuming.kill()
    return EventFigures.of(published, consumed, steadily_published, steadily_consumed, rate)


def _worker(env: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    python = environments.programs("app", environments.APPLICATION) / "python"
    return subprocess.Popen(
        [str(python), "-m", "benchmarks.load.events.worker", *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(worker: subprocess.Popen[str]) -> dict[str, Any]:
    """What it said. Raises WorkerError."""
    try:
        printed, complaints = worker.communicate(timeout=_MOST_SECONDS)
    except BaseException:
        worker.kill()
        worker.communicate()
        raise
    if worker.returncode:
        raise WorkerError(f"a worker ended with {worker.returncode}:\n{complaints[-3000:]}")
    found: dict[str, Any] = json.loads(printed)
    return found
