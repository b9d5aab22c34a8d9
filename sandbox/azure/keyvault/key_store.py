"""RSA keys with their versions, in one SQLite file: durable, private parts encrypted, keyed by vault name.

Times are whole seconds since the epoch. What a key does is done here, so that its private part leaves
the store nowhere.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.azure.keyvault import errors
from sandbox.azure.keyvault.soft_delete import Names, opened
from sandbox.azure.sealing import Seal, seal

#: What a key may be used for unless it says otherwise. `import` and `export` are not offered.
OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")
SIZES = (2048, 3072, 4096)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS key_versions (
    number INTEGER PRIMARY KEY,
    vault TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, version TEXT NOT NULL,
    private BLOB NOT NULL, attributes TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    UNIQUE (vault, name, version),
    FOREIGN KEY (vault, name) REFERENCES keys (vault, name) ON DELETE CASCADE
);
"""


@dataclass(frozen=True)
class Wanted:
    """What a key is made with."""

    size: int = 2048
    operations: tuple[str, ...] = OPERATIONS
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KeyVersion:
    """The public half; `modulus` and `exponent` are big-endian."""

    name: str
    version: str
    wanted: Wanted
    modulus: bytes
    exponent: bytes
    created: int
    updated: int


@dataclass(frozen=True)
class DeletedKey:
    latest: KeyVersion
    deleted_at: int
    purge_at: int


class KeyStore:
    """Safe from any thread; every change is on disk when the call returns."""

    def __init__(self, path: Path, sealed: Seal, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.RLock()
        self._seal, self._clock = sealed, clock
        self._db = opened(path)
        self._names = Names(self._db, "keys", clock)
        self._db.executescript(_SCHEMA)

    def create(self, vault: str, name: str, wanted: Wanted) -> KeyVersion:
        """A new version of a live or new name."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=wanted.size)
        text = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with self._lock, self._db:
            if self._names.times(vault, name) is not None:
                raise errors.name_in_deleted_state(name, "key")
            self._names.add(vault, name)
            version, now = uuid.uuid4().hex, int(self._clock())
            self._db.execute(
                "INSERT INTO key_versions (vault, name, version, private, attributes, created, updated) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (vault, name, version, self._seal.close(text, _context(vault, name, version)),
                 json.dumps({**vars(wanted), "tags": dict(wanted.tags)}), now, now),
            )  # fmt: skip
            return self.get(vault, name, version)

    def get(self, vault: str, name: str, version: str | None = None) -> KeyVersion:
        """The latest or the named version of a live name."""
        return self._read(vault, self._live(vault, name, version))

    def exists(self, vault: str, name: str) -> bool:
        with self._lock, self._db:
            return self._row(vault, name, None) is not None and self._names.times(vault, name) is None

    def latest(self, vault: str, *, after: str = "", limit: int = -1) -> Sequence[KeyVersion]:
        """The latest version of every live name behind `after`, by name."""
        with self._lock, self._db:
            return [self.get(vault, name) for name in self._names.live(vault, after, limit)]

    def versions(self, vault: str, name: str, *, after: str = "", limit: int = -1) -> Sequence[KeyVersion]:
        """Every version of a live name, by id."""
        with self._lock:
            self.get(vault, name)
            rows = self._db.execute(
                "SELECT * FROM key_versions WHERE vault = ? AND name = ? AND version > ? ORDER BY version "
                "LIMIT ?",
                (vault, name, after, limit),
            ).fetchall()
            return [self._read(vault, row) for row in rows]

    def encrypt(self, vault: str, name: str, version: str, scheme: padding.AsymmetricPadding,
                text: bytes) -> bytes:  # fmt: skip
        """Raises ValueError for a text that is too long for the key."""
        row = self._live(vault, name, version)
        return self._private(vault, row).public_key().encrypt(text, scheme)

    def decrypt(self, vault: str, name: str, version: str, scheme: padding.AsymmetricPadding,
                sealed: bytes) -> bytes:  # fmt: skip
        """Raises ValueError for what this version did not encrypt."""
        return self._private(vault, self._live(vault, name, version)).decrypt(sealed, scheme)

    def delete(self, vault: str, name: str, *, days: int) -> DeletedKey:
        with self._lock, self._db:
            self.get(vault, name)
            self._names.delete(vault, name, days)
            return self.deleted(vault, name)

    def deleted(self, vault: str, name: str) -> DeletedKey:
        with self._lock, self._db:
            times, latest = self._names.times(vault, name), self._row(vault, name, None)
            if times is None or latest is None:
                raise errors.not_deleted(name, "key")
            return DeletedKey(self._read(vault, latest), times.deleted_at, times.purge_at)

    def all_deleted(self, vault: str, *, after: str = "", limit: int = -1) -> Sequence[DeletedKey]:
        with self._lock, self._db:
            return [self.deleted(vault, name) for name in self._names.deleted(vault, after, limit)]

    def recover(self, vault: str, name: str) -> KeyVersion:
        with self._lock, self._db:
            self.deleted(vault, name)
            self._names.recover(vault, name)
            return self.get(vault, name)

    def purge(self, vault: str, name: str) -> None:
        with self._lock, self._db:
            self.deleted(vault, name)
            self._names.purge(vault, name)

    def forget(self, vault: str) -> None:
        """Everything of a vault: it was purged, or its name is used anew."""
        with self._lock, self._db:
            self._names.forget(vault)

    def _live(self, vault: str, name: str, version: str | None) -> sqlite3.Row:
        with self._lock, self._db:
            row = self._row(vault, name, version)
            if row is None or self._names.times(vault, name) is not None:
                raise errors.not_found(f"{name}/{version}" if version else name, "key")
            return row

    def _row(self, vault: str, name: str, version: str | None) -> sqlite3.Row | None:
        statement = "SELECT * FROM key_versions WHERE vault = ? AND name = ?"
        if version:
            found = self._db.execute(f"{statement} AND version = ?", (vault, name, version))
        else:
            found = self._db.execute(f"{statement} ORDER BY number DESC LIMIT 1", (vault, name))
        row: sqlite3.Row | None = found.fetchone()
        return row

    def _private(self, vault: str, row: sqlite3.Row) -> rsa.RSAPrivateKey:
        text = self._seal.open(row["private"], _context(vault, row["name"], row["version"]))
        private = serialization.load_der_private_key(text, None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError(f"{row['name']} of {vault} is not an RSA key")
        return private

    def _read(self, vault: str, row: sqlite3.Row) -> KeyVersion:
        numbers = self._private(vault, row).public_key().public_numbers()
        attributes = json.loads(row["attributes"])
        wanted = Wanted(**{**attributes, "operations": tuple(attributes["operations"])})
        return KeyVersion(
            row["name"], row["version"], wanted, _bytes(numbers.n), _bytes(numbers.e),
            row["created"], row["updated"],
        )  # fmt: skip


#: The algorithms of RSA keys that encrypt, as the REST API names them.
PADDINGS: Mapping[str, padding.AsymmetricPadding] = {
    "RSA1_5": padding.PKCS1v15(),
    "RSA-OAEP": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - by its name
    "RSA-OAEP-256": padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _context(vault: str, name: str, version: str) -> str:
    return f"key/{vault}/{name}/{version}".lower()


@cache
def key_store(state: Path) -> KeyStore:
    """The one store of the sandbox whose state lies there."""
    return KeyStore(state / "keyvault-keys.db", seal(state))
