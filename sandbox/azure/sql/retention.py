"""How long backups are kept, and from when on a database can be restored.

Source: https://learn.microsoft.com/azure/azure-sql/database/automated-backups-overview. A server's backups
hold all its databases, so they are kept as long as the most demanding one asks, a dropped one too.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from pathlib import Path

from sandbox.arm.ids import child
from sandbox.arm.resource import Resource
from sandbox.azure.sql import backups, naming
from sandbox.services import Store

#: Azure's defaults of a short-term policy.
RETENTION_DAYS, DIFFERENTIAL_HOURS = 7, 12
#: Where a database that is being dropped keeps the days of its policy, which goes before it does.
DAYS = "retentionDays"
_DAY = 86_400.0


def days(store: Store, database: Resource) -> int:
    """Days that a database can be restored back to."""
    policy = store.get(child(database.id.text, naming.SHORT_TERM, "default"))
    asked = policy.properties.get("retentionDays") if policy is not None else database.body.get(DAYS)
    return int(asked or RETENTION_DAYS)


def note(store: Store, database: Resource, policy: Resource) -> None:
    """The database's policy goes because the database does: what it said still holds for the backups."""
    database.body[DAYS] = policy.properties.get("retentionDays")
    store.save(database)


def of_server(store: Store, server: Resource) -> tuple[int, int]:
    """Days that a server's backups are kept, and hours between two."""
    databases = [
        one
        for one in store.list(type=naming.DATABASE, under=server.id.text)
        if one.id.name.lower() != naming.MASTER
    ]
    prefix = f"{server.id.key}/"
    dropped = [one for one in store.deleted(naming.DATABASE) if one.id.key.startswith(prefix)]
    kept = [days(store, one) for one in (*databases, *dropped)]
    policies = store.list(type=naming.SHORT_TERM, under=server.id.text)
    hours = [int(one.properties.get("diffBackupIntervalInHours") or DIFFERENTIAL_HOURS) for one in policies]
    return max(kept, default=RETENTION_DAYS), min(hours, default=DIFFERENTIAL_HOURS)


def earliest(store: Store, folder: Path, database: Resource) -> float | None:
    """The first moment (seconds since 1970) that a database can be restored to from the backups in `folder`.

    None before its first backup. Not before it was made, nor before what its policy keeps.
    """
    known = backups.taken(folder)
    if not known:
        return None
    kept_from = time.time() - days(store, database) * _DAY
    first = max(known[0].ended, seconds(database.properties["creationDate"]), kept_from)
    # Told in whole microseconds: not one that lies before the backup.
    return math.ceil(first * 1e6) / 1e6


def seconds(date: str) -> float:
    """A date as ARM writes it, in seconds since 1970; without an offset it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(date)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
