"""One account's data: documents, and a journal of every write with its time.

A SQLite file. A write changes the documents and the journal in one transaction, and is acknowledged after
its commit reached the disk: nothing acknowledged is lost, whatever is killed. Log sequence numbers (LSN)
count the writes of an account; times are microseconds since the epoch. The journal holds whole documents, so
that the account as of any moment can be had by replaying it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.journal_file import (
    BEGAN,
    DEFINE,
    DROP,
    FAILOVER,
    RESTORE,
    microseconds,
    writable,
)


class Journal:
    """Synchronous; one thread uses it at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = writable(path)
        last = self._connection.execute("SELECT lsn, time FROM journal ORDER BY lsn DESC LIMIT 1").fetchone()
        self._lsn: int
        self._time: int
        self._lsn, self._time = last or (0, 0)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the writes in it, or none, at one moment: a restore has all of them or none, too.

        Durable when it is left. Times never go back, whatever the clock does: a restore cuts by them.
        """
        before = self._lsn
        self._time = max(self._time, time.time_ns() // 1000)
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

    def skip(self, lsn: int) -> None:
        """Give the writes to come higher numbers than `lsn`: ids of documents are made of them."""
        self._lsn = max(self._lsn, lsn)

    @property
    def now(self) -> int:
        """The moment of the transaction that is open, in microseconds."""
        return self._time

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
            (self._lsn, self._time, container, operation, key, id, document),
        )

    # What is not a document: containers, databases, throughput, regions.

    def record(self, subject: str, operation: str, value: Any) -> bool:
        """Note what a container, database or account is from now on, unless that is known already.

        `subject` is a rid (empty for the account). Returns whether it was new.
        """
        text = None if value is None else json.dumps(value)
        last = self._connection.execute(
            "SELECT document FROM journal WHERE container = ? AND operation = ? ORDER BY lsn DESC LIMIT 1",
            (subject, operation),
        ).fetchone()
        if last is not None and last[0] == text:
            return False
        self._append(subject, operation, None, None, text)
        return True

    def define(self, container: Container) -> None:
        """Record what a container is now; times at which documents end follow its TTL."""
        with self.transaction():
            value = {"link": container.link, "resource": container.definition}
            if not self.record(container.rid, DEFINE, value):
                return
            rows = self._connection.execute(
                "SELECT partition_key, id, body FROM documents WHERE container = ?", (container.rid,)
            ).fetchall()
            self._connection.executemany(
                "UPDATE documents SET expires = ? WHERE container = ? AND partition_key = ? AND id = ?",
                [(container.ends(json.loads(body)), container.rid, key, id_) for key, id_, body in rows],
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
            for policy, value in enumerate(container.unique_values(document))
        )

    def put(self, container: Container, operation: str, key: str, document: dict[str, Any]) -> None:
        """Write a document, new or in place of the one with its id."""
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        self._append(container.rid, operation, key, document["id"], body)
        self._connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
            (container.rid, key, document["id"], self._lsn, container.ends(document), body),
        )
        self._forget_unique(container, key, document["id"])
        for policy, value in enumerate(container.unique_values(document)):
            self._connection.execute(
                "INSERT INTO unique_keys VALUES (?, ?, ?, ?, ?)",
                (container.rid, key, policy, value, document["id"]),
            )

    def delete(self, container: Container, operation: str, key: str, id: str) -> None:  # noqa: A002
        self._append(container.rid, operation, key, id, None)
        self.forget(container, key, id)

    def forget(self, container: Container, key: str, id: str) -> None:  # noqa: A002
        """Have a document gone, which the history does not tell."""
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

    # What another region had not received.

    def set_aside(self, after: int) -> list[tuple[str, str, str]]:
        """Take the writes of documents after a moment (microseconds) out of the history.

        Returns (container, partition key, id) of what they wrote. What came from a backup, or was put back by
        an earlier failover, is no write, and stays.
        """
        writes = "FROM journal WHERE id IS NOT NULL AND time > ? AND operation NOT IN (?, ?)"
        given = (after, FAILOVER, RESTORE)
        written: list[tuple[str, str, str]] = self._connection.execute(
            f"SELECT DISTINCT container, partition_key, id {writes}", given
        ).fetchall()
        self._connection.execute(f"INSERT INTO unreplicated SELECT * {writes}", given)
        self._connection.execute(f"DELETE {writes}", given)
        return written

    def newest(self, container: Container, key: str, id: str) -> dict[str, Any] | None:  # noqa: A002
        """A document as the history has it last; None for one that is deleted, or never was."""
        row = self._connection.execute(
            "SELECT document FROM journal WHERE container = ? AND partition_key = ? AND id = ? "
            "ORDER BY lsn DESC LIMIT 1",
            (container.rid, key, id),
        ).fetchone()
        return json.loads(row[0]) if row and row[0] else None

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

    def lsn_at(self, moment: float) -> int:
        """The number of the last write before a moment (seconds since the epoch)."""
        row = self._connection.execute(
            "SELECT max(lsn) FROM journal WHERE time < ?", (int(moment * 1e6),)
        ).fetchone()
        return int(row[0] or 0)

    # Moments.

    def moment(self, name: str) -> int | None:
        """A moment of the file, in microseconds; None when it has not come."""
        row = self._connection.execute("SELECT time FROM moments WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None

    def mark(self, name: str, moment: int) -> None:
        """Set a moment of the file."""
        self._connection.execute("INSERT OR REPLACE INTO moments VALUES (?, ?)", (name, moment))

    def prune(self, before: float) -> None:
        """Forget documents that were written over before a moment (seconds since the epoch).

        The history begins there then. What containers and databases were is kept: it is little.
        """
        limit = microseconds(before)
        with self.transaction():
            self._connection.execute(
                "DELETE FROM journal WHERE lsn IN (SELECT lsn FROM (SELECT lsn, max(lsn) OVER "
                "(PARTITION BY container, partition_key, id) AS newest FROM journal "
                "WHERE id IS NOT NULL AND time <= ?) WHERE lsn < newest)",
                (limit,),
            )
            began = self.moment(BEGAN)
            if began is not None and began < limit:
                self.mark(BEGAN, limit)
