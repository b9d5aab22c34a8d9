"""The past of an account, read from its journal: what happened to it, and its documents as of any moment.

A reader of its own connection: the account may go on writing, or be gone. Times are microseconds since the
epoch. A write at a moment belongs to the account as of that moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.journal_file import BEGAN, readable


@dataclass(frozen=True)
class Event:
    """Something that happened to `subject` (a container's or database's rid, empty for the account)."""

    lsn: int
    time: int
    subject: str
    operation: str
    value: Any


class History:
    """One state of the journal, however long it is read. Raises FileNotFoundError when there is none."""

    def __init__(self, path: Path) -> None:
        self._connection = readable(path)
        self._connection.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def began(self) -> int | None:
        """The first moment that can be told; None when nothing can."""
        row = self._connection.execute("SELECT time FROM moments WHERE name = ?", (BEGAN,)).fetchone()
        return int(row[0]) if row else None

    def last(self) -> int:
        """The number of the last write."""
        row = self._connection.execute("SELECT max(lsn) FROM journal").fetchone()
        return int(row[0] or 0)

    def events(self) -> tuple[Event, ...]:
        """All that happened, but to documents, in its order."""
        rows = self._connection.execute(
            "SELECT lsn, time, container, operation, document FROM journal WHERE id IS NULL ORDER BY lsn"
        )
        return tuple(
            Event(lsn, time, subject, operation, json.loads(text) if text is not None else None)
            for lsn, time, subject, operation, text in rows
        )

    def documents(self, container: Container, at: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """(partition key, document) of a container as of a moment, in the order they were written.

        What had ended by then is left out, also where nobody had removed it yet.
        """
        rows = self._connection.execute(
            "SELECT partition_key, document FROM journal WHERE document IS NOT NULL AND lsn IN ("
            "SELECT max(lsn) FROM journal WHERE container = ? AND id IS NOT NULL AND time <= ? "
            "GROUP BY partition_key, id) ORDER BY lsn",
            (container.rid, at),
        )
        for key, text in rows:
            document = json.loads(text)
            end = container.ends(document)
            if end is None or end * 1_000_000 > at:
                yield key, document
