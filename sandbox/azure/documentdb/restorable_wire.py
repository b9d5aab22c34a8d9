"""Restorable accounts and what happened in them, as Resource Manager answers them.

https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/restorable-database-accounts
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sandbox.arm.regions import display_name
from sandbox.arm.resource import Body
from sandbox.arm.store import timestamp
from sandbox.azure.documentdb import changes, naming
from sandbox.azure.documentdb.changes import Change
from sandbox.azure.documentdb.presence import Presence
from sandbox.azure.documentdb.restorable import Restorable
from sandbox.azure.documentdb.snapshot import DatabaseAt

DATABASES, CONTAINERS, RESOURCES = (
    "restorableSqlDatabases",
    "restorableSqlContainers",
    "restorableSqlResources",
)


def account(source: Restorable) -> Body:
    stays = [stay for stay in source.presences if stay.end is None or stay.end >= source.oldest]
    return {
        "id": source.id,
        "name": source.instance,
        "type": naming.RESTORABLE,
        "location": display_name(source.region),
        "properties": {
            "accountName": source.account.id.name,
            "apiType": "Sql",
            "creationTime": _time(source.created),
            "oldestRestorableTime": _time(source.oldest),
            **({"deletionTime": _time(source.deleted)} if source.deleted is not None else {}),
            "restorableLocations": [_location(source, stay) for stay in stays],
        },
    }


def _location(source: Restorable, stay: Presence) -> Body:
    return {
        "locationName": display_name(stay.region),
        "regionalDatabaseAccountInstanceId": stay.instance(source.instance),
        "creationTime": _time(stay.start),
        **({"deletionTime": _time(stay.end)} if stay.end is not None else {}),
    }


def databases(source: Restorable) -> list[Body]:
    """Every time a database was created, replaced or deleted, oldest first."""
    return [_change(source, DATABASES, one) for one in changes.of_databases(source.events)]


def containers(source: Restorable, database: str | None, start: int | None, end: int | None) -> list[Body]:
    """Every time a container was created, replaced or deleted, oldest first.

    Of one database (its rid) or all; between two moments (microseconds since the epoch) or at any time.
    """
    return [
        _change(source, CONTAINERS, one)
        for one in changes.of_containers(source.events)
        if database in (None, one.database)
        and (start is None or one.event.time >= start)
        and (end is None or one.event.time <= end)
    ]


def resources(source: Restorable, there: Sequence[DatabaseAt]) -> list[Body]:
    """What can be restored: each database with its containers."""
    return [
        {
            **_identity(source, RESOURCES, f"{RESOURCES}/{one.resource['_rid']}"),
            "databaseName": one.name,
            "collectionNames": [inside.name for inside in one.containers],
        }
        for one in there
    ]


def _change(source: Restorable, kind: str, change: Change) -> Body:
    resource: dict[str, Any] = {
        "_rid": change.event.subject,
        "operationType": change.operation,
        # To the second, as on Azure: a restore to the time of a deletion is one to before it.
        "eventTimestamp": f"{timestamp(change.event.time // 1_000_000)[:19]}Z",
        "ownerId": change.name,
        "ownerResourceId": change.event.subject,
    }
    if change.operation != "Delete":
        resource["database" if kind == DATABASES else "container"] = change.resource
    return {**_identity(source, kind, str(change.event.lsn)), "properties": {"resource": resource}}


def _identity(source: Restorable, kind: str, number: str) -> Body:
    name = str(uuid.uuid5(uuid.UUID(source.instance), number))
    return {"id": f"{source.id}/{kind}/{name}", "name": name, "type": f"{naming.RESTORABLE}/{kind}"}


def _time(moment: int) -> str:
    return timestamp(moment / 1e6)
