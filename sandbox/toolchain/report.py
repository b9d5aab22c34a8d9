"""What a person sees while steps run: one line per start and end, and on a terminal a live line between."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from sandbox.toolchain.errors import ToolchainError

_LAST_LINES = 15


class StepError(ToolchainError):
    """A step that did not end well, with what its log says last."""

    def __init__(self, name: str, error: Exception, log: Path, remedy: str) -> None:
        lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
        quoted = "".join(f"\n  | {line}" for line in lines)
        said = error.message if isinstance(error, ToolchainError) else error
        super().__init__(f"{name} failed: {said}{quoted}\nLog: {log}", remedy=remedy)


class Report:
    """Prints to standard error. Thread-safe; use as a context manager around the steps."""

    def __init__(self, title: str, total: int, console: Console | None = None) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._console = console or Console(stderr=True, highlight=False)
        self._live = Live(
            get_renderable=self._view, console=self._console, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Report:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def started(self, name: str) -> None:
        with self._lock:
            self._running[name] = time.monotonic()
        if not self._console.is_terminal:
            self._say(f"{self._title}: {name} …")

    def finished(self, name: str) -> None:
        with self._lock:
            seconds = time.monotonic() - self._running.pop(name)
            self._done += 1
            left = self._total - self._done
        self._say(f"{self._title}: {name} done in {duration(seconds)}{f', {left} left' if left else ''}")

    def failed(self, name: str) -> None:
        with self._lock:
            seconds = time.monotonic() - self._running.pop(name)
        self._say(f"{self._title}: {name} failed after {duration(seconds)}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def _view(self) -> Group:
        with self._lock:
            running = dict(self._running)
            left = self._total - self._done
        now = time.monotonic()
        lines: Sequence[Spinner | Text] = [
            Spinner("dots", text=f"{name} {duration(now - since)}") for name, since in running.items()
        ]
        return Group(*lines, Text(f"  {left} of {self._total} left", style="dim"))


def duration(seconds: float) -> str:
    """`7.3 s`, `4 min 36 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
