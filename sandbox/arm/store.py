"""Resources by id, in SQLite. Implements `services.Store`; what the ARM core alone needs is below it.

Ids are compared case-insensitively and answered in the spelling they were created with.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from sandbox.arm.database import Database
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource, ResourceId

_DAY = 86_400


def timestamp(at: float) -> str:
    """UTC, as ARM writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(parse_id(row["id"]), json.loads(row["body"]), row["created_at"], row["changed_at"])


class SqliteStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        #: Grows with every change of a role assignment or definition; what is derived is kept by it.
        self.authorization_version = 0

    def get(self, id: ResourceId | str) -> Resource | None:  # noqa: A002
        key = "/" + id.strip("/").lower() if isinstance(id, str) else id.key
        rows = self._database.query("SELECT * FROM resources WHERE key = ?", (key,))
        return _resource(rows[0]) if rows else None

    def save(self, resource: Resource) -> None:
        self._database.execute(
            "INSERT INTO resources (key, id, type, body, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at",
            (
                resource.id.key,
                resource.id.text,
                resource.id.type.lower(),
                json.dumps(resource.body, separators=(",", ":")),
                resource.created_at,
                resource.changed_at,
            ),
        )
        self._touched(resource.id)

    def remove(self, id: ResourceId) -> None:  # noqa: A002
        self._database.execute("DELETE FROM resources WHERE key = ?", (id.key,))
        self._touched(id)

    def mark(self, id: ResourceId, pending: str) -> None:  # noqa: A002
        """Record what is under way, for a restart to finish: `put`, `delete` or nothing."""
        self._database.execute("UPDATE resources SET pending = ? WHERE key = ?", (pending, id.key))

    def pending(self, id: ResourceId) -> str:  # noqa: A002
        rows = self._database.query("SELECT pending FROM resources WHERE key = ?", (id.key,))
        return str(rows[0][0]) if rows else ""

    def unfinished(self) -> list[tuple[str, ResourceId]]:
        rows = self._database.query("SELECT pending, id FROM resources WHERE pending != '' ORDER BY key")
        return [(row["pending"], parse_id(row["id"])) for row in rows]

    def list(self, *, type: str | None = None, under: str | None = None) -> Iterable[Resource]:  # noqa: A002
        """In the order of their ids: a parent comes before what lies in it."""
        clauses, parameters = ["1"], []
        if type is not None:
            clauses.append("type = ?")
            parameters.append(type.lower())
        if under is not None and under.strip("/"):
            # '0' is the character after '/': a range the primary key answers without a scan.
            prefix = "/" + under.strip("/").lower()
            clauses.append("key >= ? AND key < ?")
            parameters += [prefix + "/", prefix + "0"]
        where = " AND ".join(clauses)
        rows = self._database.query(f"SELECT * FROM resources WHERE {where} ORDER BY key", parameters)  # noqa: S608
        return [_resource(row) for row in rows]

    def deleted(self, type: str) -> Iterable[Resource]:  # noqa: A002
        """Soft-deleted and not yet due to be purged, oldest first."""
        self._database.execute("DELETE FROM deleted WHERE purge_at <= ?", (time.time(),))
        rows = self._database.query("SELECT * FROM deleted WHERE type = ? ORDER BY number", (type.lower(),))
        return [_resource(row) for row in rows]

    def keep_deleted(self, resource: Resource, *, days: int) -> None:
        now = time.time()
        purge_at = now + days * _DAY
        resource.properties.update(deletionDate=timestamp(now), scheduledPurgeDate=timestamp(purge_at))
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO deleted (key, id, type, body, created_at, changed_at, purge_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    resource.id.key,
                    resource.id.text,
                    resource.id.type.lower(),
                    json.dumps(resource.body),
                    resource.created_at,
                    now,
                    purge_at,
                ),
            )
            self.remove(resource.id)

    def purge(self, resource: Resource) -> None:
        self._database.execute(
            "DELETE FROM deleted WHERE key = ? AND created_at = ?", (resource.id.key, resource.created_at)
        )

    def _touched(self, id: ResourceId) -> None:  # noqa: A002
        if id.type.lower().startswith("microsoft.authorization/"):
            self.authorization_version += 1
