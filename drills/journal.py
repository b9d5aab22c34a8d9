"""Sentinels: executions of the drill's own, and the file that remembers which of them were acknowledged.

The file outlives the drill: a line is on the disk before the next request is sent.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel


class Sentinel(BaseModel):
    """One request and, once it is acknowledged, its answer: what must be read back, as it is.

    `sent` is before the first byte left, `acknowledged` after the last came. Without `acknowledged`, nobody
    promised anything.
    """

    number: int
    agent: str
    correlation: str
    input: dict[str, Any]
    sent: AwareDatetime
    acknowledged: AwareDatetime | None = None
    answer: dict[str, Any] | None = None
    failure: str | None = None

    @property
    def id(self) -> str:
        """The execution's. Raises ValueError if there is none."""
        if self.answer is None:
            raise ValueError(f"sentinel {self.number} was never acknowledged")
        return str(self.answer["id"])


class Journal:
    """Appended to by several threads; use it as a context."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._stream = file.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def write(self, sentinel: Sentinel) -> None:
        """Durable when it returns. A sentinel's last line is what is known of it."""
        with self._lock:
            self._stream.write(sentinel.model_dump_json() + "\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())


def read(file: Path) -> list[Sentinel]:
    """Each sentinel as last known, by number. A line that was cut off by a kill is passed over."""
    known: dict[int, Sentinel] = {}
    for document in _documents(file):
        sentinel = Sentinel.model_validate(document)
        known[sentinel.number] = sentinel
    return [known[number] for number in sorted(known)]


def _documents(file: Path) -> Iterator[dict[str, Any]]:
    lines = file.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines):
        if not line:
            continue
        try:
            yield json.loads(line)
        except ValueError:
            if number < len(lines) - 1:
                raise
