"""The control plane's SQLite file: one connection, every commit durable before the call returns.

WAL with `synchronous=FULL`: a kill at any moment loses nothing that was acknowledged. The tables of all
parts are created here, so that one transaction can span them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
    created_at REAL NOT NULL, changed_at REAL NOT NULL,
    pending TEXT NOT NULL DEFAULT ''  -- '', 'put' or 'delete': what a restart has to finish
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resources_by_type ON resources (type, key);
CREATE TABLE IF NOT EXISTS deleted (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
    created_at REAL NOT NULL, changed_at REAL NOT NULL, purge_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS deleted_by_type ON deleted (type);
CREATE TABLE IF NOT EXISTS operations (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
    started_at REAL NOT NULL, ended_at REAL, percent REAL, message TEXT, error TEXT, result TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS operations_running ON operations (key) WHERE status = 'InProgress';
CREATE TABLE IF NOT EXISTS activity (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS activity_by_time ON activity (at);
CREATE TABLE IF NOT EXISTS principals (
    object_id TEXT PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
    resource_id TEXT, secret_hash TEXT, created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS principals_by_resource ON principals (lower(resource_id));
CREATE TABLE IF NOT EXISTS federated (
    object_id TEXT NOT NULL, name TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,
    audiences TEXT NOT NULL, PRIMARY KEY (object_id, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS signing_keys (
    kid TEXT PRIMARY KEY, pem TEXT NOT NULL, created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unregistered (namespace TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Database:
    """Serialised access from any thread. Statements outside `transaction` commit at once."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        # Transactions are opened explicitly: the module's implicit ones would delay commits.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA busy_timeout=5000")
        # In one transaction: a kill leaves all tables or none, and one flush is enough.
        self._connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        with self._lock:
            return self._connection.execute(statement, parameters).rowcount

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nests; only the outermost commits."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def close(self) -> None:
        with self._lock:
            self._connection.close()
