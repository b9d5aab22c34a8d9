"""Secrets with their versions, in one SQLite file: durable, values encrypted, keyed by vault name.

Times are whole seconds since the epoch, as on the wire.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.azure.keyvault import errors
from sandbox.azure.keyvault.soft_delete import Names, opened
from sandbox.azure.sealing import Seal, seal

_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    number INTEGER PRIMARY KEY,
    vault TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, version TEXT NOT NULL,
    value BLOB NOT NULL, content_type TEXT, enabled INTEGER NOT NULL, nbf INTEGER, exp INTEGER,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, tags TEXT NOT NULL,
    UNIQUE (vault, name, version),
    FOREIGN KEY (vault, name) REFERENCES secrets (vault, name) ON DELETE CASCADE
);
"""
_LATEST = """SELECT v.* FROM versions v WHERE v.vault = ? AND v.name = ? AND v.number =
    (SELECT max(number) FROM versions WHERE vault = v.vault AND name = v.name)"""


@dataclass(frozen=True)
class Attributes:
    """What a caller may set beside the value. None leaves as it is (on update) or unset (on create)."""

    enabled: bool | None = None
    nbf: int | None = None
    exp: int | None = None
    content_type: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Version:
    name: str
    version: str
    value: str
    content_type: str | None
    enabled: bool
    nbf: int | None
    exp: int | None
    created: int
    updated: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Deleted:
    latest: Version
    deleted_at: int
    purge_at: int


class SecretStore:
    """Safe from any thread; every change is on disk when the call returns."""

    def __init__(self, path: Path, sealed: Seal, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.RLock()
        self._seal = sealed
        self._clock = clock
        self._db = opened(path)
        self._names = Names(self._db, "secrets", clock)
        self._db.executescript(_SCHEMA)

    def now(self) -> int:
        return int(self._clock())

    def set(self, vault: str, name: str, value: str, attributes: Attributes) -> Version:
        """A new version of a live or new name."""
        with self._lock, self._db:
            if self._names.times(vault, name) is not None:
                raise errors.name_in_deleted_state(name)
            self._names.add(vault, name)
            version, now = uuid.uuid4().hex, self.now()
            enabled = True if attributes.enabled is None else attributes.enabled
            made = Version(name, version, value, attributes.content_type, enabled, attributes.nbf,
                           attributes.exp, now, now, dict(attributes.tags or {}))  # fmt: skip
            self._insert(vault, made)
            return made

    def get(self, vault: str, name: str, version: str | None = None) -> Version:
        """The latest or the named version of a live name."""
        with self._lock, self._db:
            row = self._version_row(vault, name, version)
            if row is None or self._names.times(vault, name) is not None:
                raise errors.not_found(f"{name}/{version}" if version else name)
            return self._read(vault, row)

    def update(self, vault: str, name: str, version: str | None, attributes: Attributes) -> Version:
        with self._lock, self._db:
            before = self.get(vault, name, version)
            self._db.execute(
                "UPDATE versions SET enabled = coalesce(?, enabled), nbf = coalesce(?, nbf), "
                "exp = coalesce(?, exp), content_type = coalesce(?, content_type), tags = coalesce(?, tags), "
                "updated = ? WHERE vault = ? AND name = ? AND version = ?",
                (
                    attributes.enabled, attributes.nbf, attributes.exp, attributes.content_type,
                    None if attributes.tags is None else json.dumps(dict(attributes.tags)),
                    self.now(), vault, name, before.version,
                ),
            )  # fmt: skip
            return self.get(vault, name, before.version)

    def latest(self, vault: str, *, after: str = "", limit: int = -1) -> Sequence[Version]:
        """The latest version of every live name behind `after`, by name."""
        with self._lock, self._db:
            return [self.get(vault, name) for name in self._names.live(vault, after, limit)]

    def versions(self, vault: str, name: str, *, after: str = "", limit: int = -1) -> Sequence[Version]:
        """Every version of a live name, by id."""
        with self._lock, self._db:
            self.get(vault, name)
            rows = self._db.execute(
                "SELECT * FROM versions WHERE vault = ? AND name = ? AND version > ? ORDER BY version "
                "LIMIT ?",
                (vault, name, after, limit),
            ).fetchall()
            return [self._read(vault, row) for row in rows]

    def delete(self, vault: str, name: str, *, days: int) -> Deleted:
        with self._lock, self._db:
            self.get(vault, name)
            self._names.delete(vault, name, days)
            return self.deleted(vault, name)

    def deleted(self, vault: str, name: str) -> Deleted:
        with self._lock, self._db:
            times, latest = self._names.times(vault, name), self._version_row(vault, name, None)
            if times is None or latest is None:
                raise errors.not_deleted(name)
            return Deleted(self._read(vault, latest), times.deleted_at, times.purge_at)

    def all_deleted(self, vault: str, *, after: str = "", limit: int = -1) -> Sequence[Deleted]:
        with self._lock, self._db:
            return [self.deleted(vault, name) for name in self._names.deleted(vault, after, limit)]

    def recover(self, vault: str, name: str) -> Version:
        with self._lock, self._db:
            self.deleted(vault, name)
            self._names.recover(vault, name)
            return self.get(vault, name)

    def purge(self, vault: str, name: str) -> None:
        with self._lock, self._db:
            self.deleted(vault, name)
            self._names.purge(vault, name)

    def export(self, vault: str, name: str, context: str) -> bytes:
        """Every version of a live name, sealed: only this sandbox can restore it, in the same context."""
        with self._lock, self._db:
            self.get(vault, name)
            rows = self._db.execute(
                "SELECT * FROM versions WHERE vault = ? AND name = ? ORDER BY number", (vault, name)
            ).fetchall()
            versions = [vars(self._read(vault, row)) for row in rows]
        return self._seal.close(json.dumps(versions).encode(), context)

    def restore(self, vault: str, backup: bytes, context: str) -> Version:
        """Bring back what `export` gave. Raises TamperedError for anything else."""
        versions = [Version(**fields) for fields in json.loads(self._seal.open(backup, context))]
        name = versions[0].name
        with self._lock, self._db:
            if self._names.times(vault, name) is not None:
                raise errors.name_in_deleted_state(name)
            if self._version_row(vault, name, None) is not None:
                raise errors.name_taken(name)
            self._names.add(vault, name)
            for version in versions:
                self._insert(vault, version)
            return self.get(vault, name)

    def forget(self, vault: str) -> None:
        """Everything of a vault: it was purged, or its name is used anew."""
        with self._lock, self._db:
            self._names.forget(vault)

    def _version_row(self, vault: str, name: str, version: str | None) -> sqlite3.Row | None:
        statement, parameters = _LATEST, [vault, name]
        if version:
            statement = "SELECT * FROM versions WHERE vault = ? AND name = ? AND version = ?"
            parameters.append(version)
        row: sqlite3.Row | None = self._db.execute(statement, parameters).fetchone()
        return row

    def _insert(self, vault: str, made: Version) -> None:
        sealed = self._seal.close(made.value.encode(), _context(vault, made.name, made.version))
        self._db.execute(
            "INSERT INTO versions (vault, name, version, value, content_type, enabled, nbf, exp, created, "
            "updated, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (vault, made.name, made.version, sealed, made.content_type, made.enabled, made.nbf, made.exp,
             made.created, made.updated, json.dumps(dict(made.tags))),
        )  # fmt: skip

    def _read(self, vault: str, row: sqlite3.Row) -> Version:
        fields: dict[str, Any] = {key: row[key] for key in row.keys() if key not in {"number", "vault"}}  # noqa: SIM118
        value = self._seal.open(row["value"], _context(vault, row["name"], row["version"])).decode()
        return Version(
            **{**fields, "value": value, "enabled": bool(row["enabled"]), "tags": json.loads(row["tags"])}
        )


def _context(vault: str, name: str, version: str) -> str:
    return f"{vault}/{name}/{version}".lower()


@cache
def secret_store(state: Path) -> SecretStore:
    """The one store of the sandbox whose state lies there."""
    return SecretStore(state / "keyvault.db", seal(state))
