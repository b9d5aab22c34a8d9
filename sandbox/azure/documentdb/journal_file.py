"""The SQLite file of a journal: its tables, and how it is opened.

A row of `journal` is one event, numbered (LSN) in the order of the events and timed in microseconds since the
epoch. `operation` says what happened to whom:

| operation | `container` | `document` |
|---|---|---|
| create, replace, upsert, patch, delete, expire, restore | rid of the document's container | the document |
| define, drop | rid of the container | its link and its resource |
| define-database, drop-database | rid of the database | its resource |
| throughput | rid of the container or database | its throughput settings, or null |
| regions | empty | the regions in which the account is |
| failover | rid of the document's container | the document as the next region had it, or null |

`unreplicated` has the rows that a failover took out of `journal`: what the next region had not received.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

#: Journal operations that concern a container, not a document in it.
DEFINE, DROP = "define", "drop"
DEFINE_DATABASE, DROP_DATABASE = "define-database", "drop-database"
THROUGHPUT, REGIONS = "throughput", "regions"
#: How a document comes into an account that is restored, and how one is put back by a failover.
RESTORE, FAILOVER = "restore", "failover"
#: Moments of a file: from when on its history is whole, and when another account's was restored into it.
BEGAN, RESTORED = "began", "restored"

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
CREATE INDEX IF NOT EXISTS journal_without_documents ON journal (lsn) WHERE id IS NULL;
CREATE TABLE IF NOT EXISTS unreplicated (
    lsn INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    container TEXT NOT NULL,
    operation TEXT NOT NULL,
    partition_key TEXT,
    id TEXT,
    document TEXT
);
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
CREATE TABLE IF NOT EXISTS moments (name TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
"""


def microseconds(moment: float) -> int:
    """Seconds since the epoch as the journal counts them."""
    return round(moment * 1e6)


def writable(path: Path) -> sqlite3.Connection:
    """The file, made if there is none; a commit is on the disk before it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
    return connection


def readable(path: Path) -> sqlite3.Connection:
    """A second connection that reads what is committed, while the first may go on writing.

    Raises FileNotFoundError when there is no such file.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
