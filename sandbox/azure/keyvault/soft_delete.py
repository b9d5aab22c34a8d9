"""Names of one kind in vaults, each live or deleted as a whole, with all its versions.

Times are whole seconds since the epoch. Vault and names are compared case-insensitively and answered as first
written. Source: https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS {table} (
    vault TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE,
    deleted_at INTEGER, purge_at INTEGER, PRIMARY KEY (vault, name)
) WITHOUT ROWID;
"""
_PAGE = "SELECT name FROM {table} WHERE vault = ? AND deleted_at IS %s AND name > ? ORDER BY name LIMIT ?"
_STATEMENTS = {
    "add": "INSERT OR IGNORE INTO {table} (vault, name) VALUES (?, ?)",
    "live": _PAGE % "NULL",
    "deleted": _PAGE % "NOT NULL",
    "times": "SELECT deleted_at, purge_at FROM {table} WHERE vault = ? AND name = ? "
    "AND deleted_at IS NOT NULL",
    "set": "UPDATE {table} SET deleted_at = ?, purge_at = ? WHERE vault = ? AND name = ?",
    "remove": "DELETE FROM {table} WHERE vault = ? AND name = ?",
    "forget": "DELETE FROM {table} WHERE vault = ?",
    "purge due": "DELETE FROM {table} WHERE purge_at <= ?",
}
_DAY = 86_400


@dataclass(frozen=True)
class Times:
    deleted_at: int
    purge_at: int


class Names:
    """One table of an open database, whose versions refer to it and go with it (`ON DELETE CASCADE`).

    Transactions and locks are the caller's. `table` is a name in the code, never somebody's input.
    """

    def __init__(self, database: sqlite3.Connection, table: str, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock
        self._statements = {key: text.format(table=table) for key, text in _STATEMENTS.items()}
        database.executescript(_SCHEMA.format(table=table))

    def add(self, vault: str, name: str) -> None:
        """One that is there stays as it is."""
        self._run("add", vault, name)

    def live(self, vault: str, after: str, limit: int) -> list[str]:
        """The names behind `after`, in order."""
        return [str(row["name"]) for row in self._run("live", vault, after, limit)]

    def deleted(self, vault: str, after: str, limit: int) -> list[str]:
        self._purge_due()
        return [str(row["name"]) for row in self._run("deleted", vault, after, limit)]

    def times(self, vault: str, name: str) -> Times | None:
        """Of a deleted name; None of any other."""
        self._purge_due()
        row = self._run("times", vault, name).fetchone()
        return None if row is None else Times(row["deleted_at"], row["purge_at"])

    def delete(self, vault: str, name: str, days: int) -> None:
        now = int(self._clock())
        self._run("set", now, now + days * _DAY, vault, name)

    def recover(self, vault: str, name: str) -> None:
        self._run("set", None, None, vault, name)

    def purge(self, vault: str, name: str) -> None:
        self._run("remove", vault, name)

    def forget(self, vault: str) -> None:
        """Everything of a vault."""
        self._run("forget", vault)

    def _purge_due(self) -> None:
        self._run("purge due", int(self._clock()))

    def _run(self, statement: str, *values: str | int | None) -> sqlite3.Cursor:
        return self._database.execute(self._statements[statement], values)


def opened(path: Path) -> sqlite3.Connection:
    """A database that only its owner may read, durable at each commit; made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    database = sqlite3.connect(path, check_same_thread=False)
    database.row_factory = sqlite3.Row
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        database.execute(f"PRAGMA {pragma}")
    return database
