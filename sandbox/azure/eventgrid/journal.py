"""Accepted events and the deliveries they still need, on disk until the last of them has ended.

An event is accepted once it is here. A delivery that ended is forgotten, and with its last delivery the
event: after a kill whatever was not confirmed is delivered again, so that nothing is lost and some things
may come twice. Times are seconds since the epoch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.azure.eventgrid.commits import Commits, connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, published REAL NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    subscription TEXT NOT NULL, event INTEGER NOT NULL,
    due REAL NOT NULL,          -- the next attempt, or of a dead letter when it is to be written
    attempts INTEGER NOT NULL DEFAULT 0, last_attempt REAL, outcome TEXT,
    reason TEXT,                -- why it is a dead letter; null while it is tried
    PRIMARY KEY (subscription, event)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_of_event ON deliveries (event);
"""


@dataclass(frozen=True)
class Attempted:
    """What is known of a delivery after an attempt: when it is due next, and why it is dead, if it is."""

    number: int
    due: float
    attempts: int
    last_attempt: float
    outcome: str
    reason: str | None = None


@dataclass(frozen=True)
class Pending:
    """One event for one subscription."""

    number: int
    event: dict[str, Any]
    published: float
    attempts: int
    last_attempt: float | None
    outcome: str | None
    reason: str | None


class Journal:
    """One file for all topics. Subscriptions are told apart by their ids' keys."""

    def __init__(self, path: Path) -> None:
        self._commits = Commits(path, _SCHEMA)
        self._reader = connect(path)

    def close(self) -> None:
        self._commits.close()
        self._reader.close()

    async def accept(
        self, events: Sequence[tuple[dict[str, Any], Sequence[str]]], now: float
    ) -> list[tuple[int, Sequence[str]]]:
        """Store events for the subscriptions that want them, all or none; their numbers."""
        rows = [(json.dumps(event, ensure_ascii=False), wanted) for event, wanted in events if wanted]

        def work(connection: sqlite3.Connection) -> list[tuple[int, Sequence[str]]]:
            numbered = []
            for body, wanted in rows:
                cursor = connection.execute("INSERT INTO events (published, body) VALUES (?, ?)", (now, body))
                number = int(cursor.lastrowid or 0)
                connection.executemany(
                    "INSERT INTO deliveries (subscription, event, due) VALUES (?, ?, ?)",
                    [(subscription, number, now) for subscription in wanted],
                )
                numbered.append((number, wanted))
            return numbered

        return await self._commits.run(work) if rows else []

    def waiting(self, subscription: str) -> list[tuple[int, float, bool]]:
        """(number, due, whether it is a dead letter) of everything not yet ended."""
        rows = self._reader.execute(
            "SELECT event, due, reason IS NOT NULL FROM deliveries WHERE subscription = ?", (subscription,)
        )
        return [(int(number), float(due), bool(dead)) for number, due, dead in rows]

    def pending(self, subscription: str, numbers: Sequence[int]) -> list[Pending]:
        """Those of the numbers that have not ended."""
        found = []
        for number in numbers:
            row = self._reader.execute(
                "SELECT e.body, e.published, d.attempts, d.last_attempt, d.outcome, d.reason "
                "FROM deliveries d JOIN events e ON e.number = d.event "
                "WHERE d.subscription = ? AND d.event = ?",
                (subscription, number),
            ).fetchone()
            if row is not None:
                found.append(Pending(number, json.loads(row[0]), *row[1:]))
        return found

    async def finish(self, subscription: str, numbers: Sequence[int]) -> None:
        """Delivered, written as a dead letter, or dropped."""
        await self._commits.run(lambda connection: _end(connection, subscription, numbers))

    async def record(self, subscription: str, attempted: Sequence[Attempted]) -> None:
        """What the last attempts came to."""
        rows = [
            (one.due, one.attempts, one.last_attempt, one.outcome, one.reason, subscription, one.number)
            for one in attempted
        ]
        statement = (
            "UPDATE deliveries SET due = ?, attempts = ?, last_attempt = ?, outcome = ?, reason = ? "
            "WHERE subscription = ? AND event = ?"
        )
        await self._commits.run(lambda connection: connection.executemany(statement, rows))

    async def forget(self, subscription: str) -> None:
        """The subscription is no more."""

        def work(connection: sqlite3.Connection) -> None:
            rows = connection.execute("SELECT event FROM deliveries WHERE subscription = ?", (subscription,))
            _end(connection, subscription, [int(row[0]) for row in rows])

        await self._commits.run(work)


def _end(connection: sqlite3.Connection, subscription: str, numbers: Sequence[int]) -> None:
    """Forget deliveries, and the events that have no other."""
    connection.executemany(
        "DELETE FROM deliveries WHERE subscription = ? AND event = ?",
        [(subscription, number) for number in numbers],
    )
    connection.executemany(
        "DELETE FROM events WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = ?1)",
        [(number,) for number in numbers],
    )
