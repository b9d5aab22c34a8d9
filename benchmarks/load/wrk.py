"""wrk, the load generator: `callers` connections, each of which asks again as soon as it is answered.

A closed loop: a target that is slow is asked less, so latencies are those of `callers` patient clients.
https://github.com/wg/wrk
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SCRIPT = Path(__file__).with_name("post.lua")
_MARK = "figures "
#: Longer than any answer here takes, so that a stall is counted as an error and not as a latency.
_TIMEOUT_SECONDS = 30
_GRACE_SECONDS = 60


class MissingError(RuntimeError):
    """wrk is not installed."""


class OutputError(ValueError):
    """wrk printed something else than figures."""


@dataclass(frozen=True)
class Load:
    """What is sent, over and over: `body` to `url`."""

    url: str
    body: Path
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Figures:
    """Of one stage; latencies in milliseconds, `errors` answers that were none or not 2xx or 3xx."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    slowest: float
    errors: int

    @property
    def good(self) -> int:
        return max(0, self.requests - self.errors)

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds


def drive(load: Load, callers: int, seconds: float, cpus: Sequence[int] = ()) -> Figures:
    """One stage. Raises MissingError and OutputError."""
    program = shutil.which("wrk")
    if program is None:
        raise MissingError("wrk is not installed; on Debian: apt-get install wrk")
    headers = [part for pair in load.headers.items() for part in pair]
    command = [
        program,
        "--threads=1",
        f"--connections={callers}",
        f"--duration={max(1, round(seconds))}s",
        f"--timeout={_TIMEOUT_SECONDS}s",
        f"--script={_SCRIPT}",
        load.url,
        "--",
        str(load.body),
        *headers,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            if cpus:
                psutil.Process(running.pid).cpu_affinity(list(cpus))
            printed, _ = running.communicate(timeout=seconds + _GRACE_SECONDS)
        except BaseException:
            running.kill()
            raise
    return parse(printed)


def parse(printed: str) -> Figures:
    """The figures that the script prints at the end. Raises OutputError."""
    line = next((line for line in printed.splitlines() if line.startswith(_MARK)), None)
    if line is None:
        raise OutputError(f"wrk printed no figures:\n{printed[-2000:]}")
    found = json.loads(line.removeprefix(_MARK))
    failures = ("connect", "read", "write", "status", "timeout")
    return Figures(
        requests=found["requests"],
        seconds=found["microseconds"] / 1e6,
        p50=found["p50"] / 1000,
        p95=found["p95"] / 1000,
        p99=found["p99"] / 1000,
        slowest=found["max"] / 1000,
        errors=sum(found[name] for name in failures),
    )
