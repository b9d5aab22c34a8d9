"""One account's data: documents, and a journal of every write with its time.

A SQLite file. A write changes the documents and the journal in one transaction, and is acknowledged after
its commit reached the disk: nothing acknowledged is lost, whatever is killed. Log sequence numbers (LSN)
count the writes of an account; times are microseconds since the epoch. The journal holds whole documents, so
that the account as of any moment can be had by replaying it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.azure.documentdb import partition
from sandbox.azure.documentdb.container import Container

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    lsn INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    container TEXT NOT NULL,
    operation TEXT NOT NULL,
    partition_key TEXT,
    id TEXT,
    document TEXT
);
CREATE INDEX IF NOT EXISTS journal_of ON journal (container, lsn);
CREATE TABLE IF NOT EXISTS documents (
    container TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    id TEXT NOT NULL,
    lsn INTEGER NOT NULL,
    expires INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (container, partition_key, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_lsn ON documents (container, lsn);
CREATE INDEX IF NOT EXISTS documents_by_expiry ON documents (container, expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS unique_keys (
    container TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    policy INTEGER NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (container, partition_key, policy, value)
) WITHOUT ROWID;
"""
#: Journal operations that concern a container, not a document in it.
DEFINE, DROP = "define", "drop"


def expiry(container: Container, document: dict[str, Any]) -> int | None:
    """When a document ends, in seconds since the epoch; None for never."""
    if container.ttl is None:
        return None
    ttl = document.get("ttl", container.ttl)
    return None if ttl == -1 else int(document["_ts"]) + int(ttl)


def unique_values(container: Container, document: dict[str, Any]) -> list[str]:
    """What each unique key policy makes of a document."""
    return [
        partition.text([partition.value_at(document, path) for path in paths])
        for paths in container.unique_keys
    ]


class Journal:
    """Synchronous; one thread uses it at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)
        self._lsn: int = self._connection.execute("SELECT coalesce(max(lsn), 0) FROM journal").fetchone()[0]

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the writes in it, or none. Durable when it is left."""
        before = self._lsn
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            self._lsn = before
            raise
        self._connection.execute("COMMIT")

    def last(self, container: Container) -> int:
        """The number of the last write in a container."""
        row = self._connection.execute(
            "SELECT max(lsn) FROM journal WHERE container = ?", (container.rid,)
        ).fetchone()
        return int(row[0] or 0)

    def next_lsn(self) -> int:
        """The number that the next write will have."""
        return self._lsn + 1

    def _append(
        self,
        container: str,
        operation: str,
        key: str | None,
        id: str | None,  # noqa: A002
        document: str | None,
    ) -> None:
        self._lsn += 1
        self._connection.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._lsn, time.time_ns() // 1000, container, operation, key, id, document),
        )

    # Containers.

    def define(self, container: Container) -> None:
        """Record what a container is now; times at which documents end follow its TTL."""
        definition = json.dumps({"link": container.link, "resource": container.definition})
        last = self._connection.execute(
            "SELECT document FROM journal WHERE container = ? AND operation = ? ORDER BY lsn DESC LIMIT 1",
            (container.rid, DEFINE),
        ).fetchone()
        if last and last[0] == definition:
            return
        with self.transaction():
            self._append(container.rid, DEFINE, None, None, definition)
            rows = self._connection.execute(
                "SELECT partition_key, id, body FROM documents WHERE container = ?", (container.rid,)
            ).fetchall()
            self._connection.executemany(
                "UPDATE documents SET expires = ? WHERE container = ? AND partition_key = ? AND id = ?",
                [(expiry(container, json.loads(body)), container.rid, key, id_) for key, id_, body in rows],
            )

    def drop(self, container: Container) -> None:
        with self.transaction():
            self._append(container.rid, DROP, None, None, None)
            for table in ("documents", "unique_keys"):
                self._connection.execute(f"DELETE FROM {table} WHERE container = ?", (container.rid,))  # noqa: S608

    # Documents.

    def get(self, container: Container, key: str, id: str) -> dict[str, Any] | None:  # noqa: A002
        row = self._connection.execute(
            "SELECT body FROM documents WHERE container = ? AND partition_key = ? AND id = ?",
            (container.rid, key, id),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def taken(self, container: Container, key: str, document: dict[str, Any]) -> bool:
        """Whether another document of the partition has one of its unique values."""
        return any(
            self._connection.execute(
                "SELECT 1 FROM unique_keys WHERE container = ? AND partition_key = ? AND policy = ? "
                "AND value = ? AND id != ?",
                (container.rid, key, policy, value, document["id"]),
            ).fetchone()
            for policy, value in enumerate(unique_values(container, document))
        )

    def put(self, container: Container, operation: str, key: str, document: dict[str, Any]) -> None:
        """Write a document, new or in place of the one with its id."""
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        self._append(container.rid, operation, key, document["id"], body)
        self._connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
            (container.rid, key, document["id"], self._lsn, expiry(container, document), body),
        )
        self._forget_unique(container, key, document["id"])
        for policy, value in enumerate(unique_values(container, document)):
            self._connection.execute(
                "INSERT INTO unique_keys VALUES (?, ?, ?, ?, ?)",
                (container.rid, key, policy, value, document["id"]),
            )

    def delete(self, container: Container, operation: str, key: str, id: str) -> None:  # noqa: A002
        self._append(container.rid, operation, key, id, None)
        self._connection.execute(
            "DELETE FROM documents WHERE container = ? AND partition_key = ? AND id = ?",
            (container.rid, key, id),
        )
        self._forget_unique(container, key, id)

    def _forget_unique(self, container: Container, key: str, id: str) -> None:  # noqa: A002
        if container.unique_keys:
            self._connection.execute(
                "DELETE FROM unique_keys WHERE container = ? AND partition_key = ? AND id = ?",
                (container.rid, key, id),
            )

    def sweep(self, container: Container, now: float) -> None:
        """Remove what has ended by now."""
        if container.ttl is None:
            return
        rows = self._connection.execute(
            "SELECT partition_key, id FROM documents WHERE container = ? AND expires <= ?",
            (container.rid, int(now)),
        ).fetchall()
        if rows:
            with self.transaction():
                for key, id_ in rows:
                    self.delete(container, "expire", key, id_)

    # Feeds.

    def after(self, container: Container, lsn: int, limit: int | None = None) -> list[tuple[int, str, str]]:
        """(lsn, partition key, body) of documents last written after `lsn`, oldest write first."""
        rows: list[tuple[int, str, str]] = self._connection.execute(
            "SELECT lsn, partition_key, body FROM documents WHERE container = ? AND lsn > ? "
            "ORDER BY lsn LIMIT ?",
            (container.rid, lsn, -1 if limit is None else limit),
        ).fetchall()
        return rows

    def removed_after(self, container: Container, lsn: int) -> list[tuple[str, str]]:
        """(partition key, id) of documents written after `lsn` that are no more."""
        rows: list[tuple[str, str]] = self._connection.execute(
            "SELECT DISTINCT j.partition_key, j.id FROM journal j WHERE j.container = ? AND j.lsn > ? "
            "AND j.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.container = j.container "
            "AND d.partition_key = j.partition_key AND d.id = j.id)",
            (container.rid, lsn),
        ).fetchall()
        return rows

    def keys(self, container: Container) -> list[str]:
        """The partition keys that hold documents."""
        rows = self._connection.execute(
            "SELECT DISTINCT partition_key FROM documents WHERE container = ?", (container.rid,)
        )
        return [row[0] for row in rows]

    def prune(self, before: float) -> None:
        """Forget what was written over before a moment (seconds since the epoch)."""
        self._connection.execute(
            "DELETE FROM journal WHERE lsn IN (SELECT lsn FROM (SELECT lsn, max(lsn) OVER "
            "(PARTITION BY container, partition_key, id) AS newest FROM journal WHERE time < ?) "
            "WHERE lsn < newest)",
            (int(before * 1e6),),
        )

    def lsn_at(self, moment: float) -> int:
        """The number of the last write before a moment (seconds since the epoch)."""
        row = self._connection.execute(
            "SELECT max(lsn) FROM journal WHERE time < ?", (int(moment * 1e6),)
        ).fetchone()
        return int(row[0] or 0)
