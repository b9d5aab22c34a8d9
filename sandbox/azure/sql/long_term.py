"""Long-term retention backups: full backups of a database that outlive it, its server and its region.

Each is a folder below `state/sql-long-term/<databaseId>`, with the files of a base backup (links, so that
they cost nothing while the server keeps that one too) and `long-term.json`. They go when they expire, or
when asked.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sandbox.arm.ids import child
from sandbox.arm.resource import Body, Resource
from sandbox.azure.sql import backups, dropped, long_term_policy, naming, retention
from sandbox.azure.sql.backups import Backup
from sandbox.azure.sql.instance import instance
from sandbox.host import files
from sandbox.services import Services

_MINE = "long-term.json"
_FILES = ("base.tar.gz", "pg_wal.tar.gz")


@dataclass(frozen=True)
class LongTermBackup:
    """`server` and `database` are ARM ids, `body` is the database's as it was.

    Times are seconds since 1970; `dropped` is when the database was, if it was.
    """

    server: str
    server_created: float
    location: str
    database: str
    database_id: str
    taken: float
    expires: float
    body: Body
    dropped: float | None = None

    @property
    def name(self) -> str:
        return f"{self.database_id};{dropped.ticks(self.taken)}"


def folder(services: Services, backup: LongTermBackup) -> Path:
    return _root(services) / backup.database_id / str(dropped.ticks(backup.taken))


def kept(services: Services) -> list[LongTermBackup]:
    """All that have not expired, the oldest first."""
    now = time.time()
    return sorted((one for one in _read(services) if one.expires > now), key=lambda one: one.taken)


async def tend(services: Services, server: Resource) -> None:
    """Take what the policies of a server's databases ask for now, and forget what has expired.

    To be called while the server's backups stay as they are. Raises ArmError when a backup fails.
    """
    now = time.time()
    for one in _read(services):
        if one.expires <= now:
            remove(services, one)
    for database in services.store.list(type=naming.DATABASE, under=server.id.text):
        policy = services.store.get(child(database.id.text, naming.LONG_TERM, "default"))
        if policy is not None and database.properties["status"] == "Online":
            await _tend(services, server, database, policy.properties)


async def _tend(services: Services, server: Resource, database: Resource, policy: Body) -> None:
    source = instance(services, server)
    database_id = database.properties["databaseId"]
    known = [one.taken for one in kept(services) if one.database_id == database_id]
    if long_term_policy.due(policy, known, time.time()) is None:
        return
    newest = backups.taken(source.backups)[-1:]
    made = retention.seconds(database.properties["creationDate"])
    fits = [one for one in newest if one.began >= made and _satisfies(policy, known, one)]
    backup = fits[0] if fits else await backups.take(source)
    expires = long_term_policy.due(policy, known, backup.ended)
    if expires is not None:
        _keep(services, server, database, backup, expires)


def _satisfies(policy: Body, known: list[float], backup: Backup) -> bool:
    """Whether nothing more is due now when this one is kept."""
    return long_term_policy.due(policy, [*known, backup.ended], time.time()) is None


def _keep(services: Services, server: Resource, database: Resource, backup: Backup, expires: float) -> None:
    made = LongTermBackup(
        server=server.id.text,
        server_created=server.created_at,
        location=server.location or "",
        database=database.id.text,
        database_id=database.properties["databaseId"],
        taken=backup.ended,
        expires=expires,
        body=database.body,
    )
    place = folder(services, made)
    part = place.with_name(f"part.{uuid.uuid4().hex[:8]}")
    for left in place.parent.glob("part.*"):
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir(parents=True)
    # PostgreSQL's user reads them; the files themselves are its own.
    for above in (_root(services), place.parent, part):
        above.chmod(0o755)
    for name in _FILES:
        os.link(backup.folder / name, part / name)
    files.write(part / _MINE, json.dumps(asdict(made)))
    part.rename(place)


def note_drop(services: Services, database: Resource, at: float) -> None:
    """Its backups say from then on that the database is gone."""
    for one in _read(services):
        if one.database_id == database.properties["databaseId"]:
            text = json.dumps(asdict(replace(one, dropped=at)))
            files.write(folder(services, one) / _MINE, text)


def remove(services: Services, backup: LongTermBackup) -> None:
    shutil.rmtree(folder(services, backup), ignore_errors=True)


def _root(services: Services) -> Path:
    return services.config.state / "sql-long-term"


def _read(services: Services) -> Iterator[LongTermBackup]:
    for path in _root(services).glob(f"*-*/*[0-9]/{_MINE}"):
        yield LongTermBackup(**json.loads(path.read_text()))
