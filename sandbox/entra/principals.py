"""The directory: service principals (applications and managed identities) and whom else they trust.

Implements `services.Principals`. Secrets are kept as salted hashes only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.arm.database import Database

APPLICATION, MANAGED_IDENTITY = "Application", "ManagedIdentity"
_ROUNDS = 20_000


@dataclass(frozen=True)
class ServicePrincipal:
    """`resource_id`: the ARM resource whose managed identity it is."""

    object_id: str
    client_id: str
    name: str
    kind: str
    resource_id: str | None
    secret_hash: str | None

    def has_secret(self, secret: str) -> bool:
        salt, _, digest = (self.secret_hash or "").partition(":")
        return bool(digest) and hmac.compare_digest(_hash(secret, salt), digest)


@dataclass(frozen=True)
class Federation:
    """Tokens of `issuer` about `subject` for one of `audiences` stand for the principal."""

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]


def _hash(secret: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), bytes.fromhex(salt), _ROUNDS).hex()


def _principal(row: sqlite3.Row) -> ServicePrincipal:
    return ServicePrincipal(
        row["object_id"], row["client_id"], row["name"], row["kind"], row["resource_id"], row["secret_hash"]
    )


class Directory:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, kind: str, *, resource_id: str | None = None) -> tuple[str, str]:
        """A resource has one identity as long as it exists: asking again gives the same."""
        if resource_id is not None and (known := self.by_resource(resource_id)):
            return known.object_id, known.client_id
        return self.register(str(uuid.uuid4()), str(uuid.uuid4()), name, kind, resource_id=resource_id)

    def register(
        self, object_id: str, client_id: str, name: str, kind: str, *, resource_id: str | None = None
    ) -> tuple[str, str]:
        """Create with given ids; a no-op when they are there."""
        self._database.execute(
            "INSERT INTO principals (object_id, client_id, name, kind, resource_id, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (object_id) DO NOTHING",
            (object_id, client_id, name, kind, resource_id, time.time()),
        )
        return object_id, client_id

    def remove(self, object_id: str) -> None:
        with self._database.transaction():
            self._database.execute("DELETE FROM federated WHERE object_id = ?", (object_id,))
            self._database.execute("DELETE FROM principals WHERE object_id = ?", (object_id,))

    def set_secret(self, object_id: str, secret: str) -> None:
        salt = secrets.token_hex(16)
        self._database.execute(
            "UPDATE principals SET secret_hash = ? WHERE object_id = ?",
            (f"{salt}:{_hash(secret, salt)}", object_id),
        )

    def federate(
        self, object_id: str, name: str, *, issuer: str, subject: str, audiences: Sequence[str]
    ) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO federated (object_id, name, issuer, subject, audiences) VALUES (?, ?, "
            "?, ?, ?)",
            (object_id, name, issuer, subject, json.dumps(list(audiences))),
        )

    def unfederate(self, object_id: str, name: str) -> None:
        self._database.execute("DELETE FROM federated WHERE object_id = ? AND name = ?", (object_id, name))

    def federations(self, object_id: str) -> list[Federation]:
        rows = self._database.query("SELECT * FROM federated WHERE object_id = ? ORDER BY name", (object_id,))
        return [
            Federation(row["name"], row["issuer"], row["subject"], tuple(json.loads(row["audiences"])))
            for row in rows
        ]

    def get(self, object_id: str) -> ServicePrincipal | None:
        return self._one("object_id = ?", object_id.lower())

    def kind(self, object_id: str) -> str | None:
        found = self.get(object_id)
        return found.kind if found else None

    def name(self, object_id: str) -> str | None:
        found = self.get(object_id)
        return found.name if found else None

    def named(self, name: str) -> list[str]:
        rows = self._database.query("SELECT object_id FROM principals WHERE name = ?", (name,))
        return [str(row["object_id"]) for row in rows]

    def by_client(self, client_id: str) -> ServicePrincipal | None:
        return self._one("client_id = ?", client_id.lower())

    def by_resource(self, resource_id: str) -> ServicePrincipal | None:
        return self._one("lower(resource_id) = ?", resource_id.lower())

    def all(self) -> list[ServicePrincipal]:
        rows = self._database.query("SELECT * FROM principals ORDER BY name, object_id")
        return [_principal(row) for row in rows]

    def _one(self, condition: str, value: str) -> ServicePrincipal | None:
        rows = self._database.query(f"SELECT * FROM principals WHERE {condition}", (value,))  # noqa: S608
        return _principal(rows[0]) if rows else None
