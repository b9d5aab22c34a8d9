"""What `up`, `down` and `reset` tell a person: each part as it is done, and how long it took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console


class Progress:
    """Numbered parts of one command, on a terminal or in a log."""

    def __init__(self, command: str, total: int, console: Console) -> None:
        self._command, self._total, self._console = command, total, console
        self._done = 0
        self._started = time.monotonic()

    @contextlib.contextmanager
    def part(self, title: str) -> Iterator[None]:
        """One part; its line is printed when it ends, with its seconds."""
        self._done += 1
        started = time.monotonic()
        head = f"{self._command} {self._done}/{self._total} {title}"
        if not self._console.is_terminal:
            self._line(f"{head} …")
        with self._console.status(head) if self._console.is_terminal else contextlib.nullcontext():
            try:
                yield
            except BaseException:
                self._line(f"{head}: failed after {time.monotonic() - started:.1f} s")
                raise
        self._line(f"{head}: done in {time.monotonic() - started:.1f} s")

    def say(self, text: str) -> None:
        self._line(f"{self._command}: {text}")

    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._started

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
