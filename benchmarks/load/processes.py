"""The processes of a run: started with their output in a file, waited for, weighed, and ended by their id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from benchmarks.load.environments import ROOT

_PAUSE_SECONDS = 0.1
_END_SECONDS = 15.0
#: Idle is who uses less of a processor than this while being looked at; who never is, is not waited for.
_IDLE, _LOOK_SECONDS, _SETTLE_SECONDS = 0.1, 0.3, 20.0


class StartError(RuntimeError):
    """A process ended, or did not answer in time; the message has the end of what it printed."""


@dataclass(frozen=True)
class Weight:
    """`cpu_seconds` since the start, `peak_mib` the most that was resident, of a process and its children."""

    cpu_seconds: float
    peak_mib: float


@dataclass
class Process(AbstractContextManager["Process"]):
    """One program in a process group of its own, so that nothing of it outlives the run.

    `cpus` are the processors that it may use, all if none; `ready` is an address that answers 200 when it is.
    """

    name: str
    command: Sequence[str | Path]
    ready: str
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cpus: Sequence[int] = ()
    seconds: float = 120.0

    def __enter__(self) -> Self:
        self._log = self.folder / f"{self.name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in self.command],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            if self.cpus:
                psutil.Process(self._process.pid).cpu_affinity(list(self.cpus))
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def weigh(self) -> Weight:
        root = psutil.Process(self._process.pid)
        family = [root, *root.children(recursive=True)]
        times = [process.cpu_times() for process in family]
        return Weight(
            cpu_seconds=sum(one.user + one.system for one in times),
            peak_mib=sum(_peak_mib(process.pid) for process in family),
        )

    def settle(self) -> None:
        """Until it has done what clients no longer wait for, or for as long as that may take."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        before = self.weigh().cpu_seconds
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            now = self.weigh().cpu_seconds
            if now - before < _IDLE * _LOOK_SECONDS:
                return
            before = now

    def _wait(self) -> None:
        deadline = time.monotonic() + self.seconds
        while not answers(self.ready):
            if self._process.poll() is not None:
                raise StartError(f"{self.name} ended with {self._process.returncode}:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} is not ready within {self.seconds:.0f} s:\n{self._tail()}")
            time.sleep(_PAUSE_SECONDS)

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-3000:]

    def _end(self) -> None:
        """Asked first, then killed, with what it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(_END_SECONDS)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()


def free_port() -> int:
    """One that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether it is there and says so. Certificates are the measured programs' business."""
    try:
        return httpx.get(url, verify=False, timeout=2).is_success  # noqa: S501 - loopback
    except httpx.HTTPError:
        return False


def _peak_mib(pid: int) -> float:
    """The kernel's own high-water mark (proc(5), VmHWM, in KiB); 0 for a process that has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) / 1024 for line in lines if line and line[0] == "VmHWM:"), 0.0)
