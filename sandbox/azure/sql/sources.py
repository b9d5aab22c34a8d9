"""What a database that is made from another's data is made from, and the refusal of what cannot be.

`createMode` says where the data come from:

- `PointInTimeRestore`: a live database of the region, as of `restorePointInTime`;
- `Restore`: a dropped one, as of its deletion or earlier;
- `Recovery`: the geo-redundant backups of a server, whose region may be gone, as far as they go;
- `RestoreLongTermRetentionBackup`: one full backup;
- `Copy`: a live database, as it is now.

Source: https://learn.microsoft.com/rest/api/sql/databases/create-or-update, on `createMode`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import timestamp
from sandbox.azure.sql import (
    dropped,
    groups,
    long_term,
    long_term_backups,
    naming,
    reach,
    recoverable,
    retention,
)
from sandbox.azure.sql.instance import instance
from sandbox.services import Services

Sent = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """`server` (a name) has the backups, in which the database is marked with `database_id`.

    `moment` is in seconds since 1970, None for the end of the log; `backup` is the folder of a long-term
    backup that is restored instead. `body` is the source's as it was: what is not asked for comes from there.
    """

    server: str
    database_id: str
    body: Body
    moment: float | None = None
    backup: str | None = None


def of(services: Services, target: Resource, sent: Sent) -> Origin | None:
    """The origin that a body's properties name for a database on the server `target`; None for a new one.

    Raises ArmError for what is no source, or does not reach the moment that is asked for.
    """
    find = _MODES.get(str(sent.get("createMode") or "Default"))
    if find is not None and sent.get("sourceResourceId"):
        raise bad_request(
            "InvalidParameterValue",
            "'sourceResourceId' is for data warehouses; a database's source is its 'sourceDatabaseId'.",
            "properties.sourceResourceId",
        )
    return find(services, target, sent) if find is not None else None


def _point_in_time(services: Services, target: Resource, sent: Sent) -> Origin:
    name = "sourceDatabaseId"
    database = _live(services, target, sent, name)
    server = _server_of(services, database)
    if server.location != target.location:
        raise bad_request(
            "InvalidSourceDatabaseRegion",
            f"A point-in-time restore stays in its region: the source is in '{server.location}', the target "
            f"in '{target.location}'.",
            f"properties.{name}",
        )
    if not sent.get("restorePointInTime"):
        raise bad_request(
            "InvalidRestorePointInTime",
            f"The point in time was not specified for restoring live database '{database.id.name}'.",
            "properties.restorePointInTime",
        )
    moment = _moment(sent, "restorePointInTime")
    _check_window(services, database, moment, reach.newest(services, server))
    return Origin(server.id.name, database.properties["databaseId"], database.body, moment)


def _dropped(services: Services, target: Resource, sent: Sent) -> Origin:
    name = "restorableDroppedDatabaseId" if sent.get("restorableDroppedDatabaseId") else "sourceDatabaseId"
    id = _id(target, sent, name)  # noqa: A001
    if id.type.lower() == naming.DROPPED.lower():
        found = dropped.find(services.store, id)
    else:
        date = _moment(sent, "sourceDatabaseDeletionDate")
        # Clients cut what is below a millisecond.
        known = [one for one in dropped.of_server(services.store, naming.server_id(id)) if one.id == id]
        found = next((one for one in known if abs(dropped.date(one) - date) < 0.001), None)
    if found is None:
        raise ArmError(
            404,
            "RestorableDroppedDatabaseNotFound",
            f"There is no restorable dropped database '{id}' of that deletion date.",
            f"properties.{name}",
        )
    server = _server_of(services, found)
    if server.location != target.location:
        raise bad_request(
            "InvalidSourceDatabaseRegion",
            f"A dropped database is restored in its region, '{server.location}'.",
            f"properties.{name}",
        )
    end = dropped.date(found)
    moment = _moment(sent, "restorePointInTime") if sent.get("restorePointInTime") else end
    _check_window(services, found, moment, end)
    return Origin(server.id.name, found.properties["databaseId"], found.body, moment)


def _geo(services: Services, target: Resource, sent: Sent) -> Origin:
    names = ("recoverableDatabaseId", "recoveryServicesRecoveryPointId", "sourceDatabaseId")
    name = next((one for one in names if sent.get(one)), "sourceDatabaseId")
    id = _id(target, sent, name)  # noqa: A001
    found = recoverable.find(services, id) if id.type.lower() == naming.RECOVERABLE.lower() else None
    if found is None:
        raise ArmError(
            404,
            "RecoverableDatabaseNotFound",
            f"There is no recoverable database '{id}'.",
            f"properties.{name}",
        )
    if not recoverable.is_geo_redundant(found):
        redundancy = found.properties.get("currentBackupStorageRedundancy")
        raise bad_request(
            "GeoRestoreNotSupported",
            f"The database '{found.id.name}' has no geo-redundant backups: its backup storage redundancy is "
            f"'{redundancy}'.",
            f"properties.{name}",
        )
    if recoverable.last_backup(services, found) is None:
        raise bad_request(
            "RecoverableDatabaseNotFound",
            f"No backup of the database '{found.id.name}' has been taken yet.",
            f"properties.{name}",
        )
    server, moment = naming.server_id(found.id).name, recoverable.moment(services, found)
    return Origin(server, found.properties["databaseId"], found.body, moment)


def _long_term(services: Services, target: Resource, sent: Sent) -> Origin:
    names = ("longTermRetentionBackupResourceId", "recoveryServicesRecoveryPointId")
    name = next((one for one in names if sent.get(one)), names[0])
    id = _id(target, sent, name)  # noqa: A001
    found = long_term_backups.find(services, id.text)
    if found is None:
        raise ArmError(
            404,
            "LongTermRetentionBackupNotFound",
            f"There is no long-term retention backup '{id}'.",
            f"properties.{name}",
        )
    folder = str(long_term.folder(services, found))
    return Origin(parse_id(found.server).name, found.database_id, found.body, backup=folder)


def _copy(services: Services, target: Resource, sent: Sent) -> Origin:
    database = _live(services, target, sent, "sourceDatabaseId")
    now = time.time()
    _check_window(services, database, now, now)
    server = naming.server_id(database.id).name
    return Origin(server, database.properties["databaseId"], database.body, now)


_MODES: Mapping[str, Callable[[Services, Resource, Sent], Origin]] = {
    "PointInTimeRestore": _point_in_time,
    "Restore": _dropped,
    "Recovery": _geo,
    "RestoreLongTermRetentionBackup": _long_term,
    "Copy": _copy,
}
MODES = tuple(_MODES)


def _live(services: Services, target: Resource, sent: Sent, name: str) -> Resource:
    id = _id(target, sent, name)  # noqa: A001
    found = services.store.get(id) if id.type.lower() == naming.DATABASE.lower() else None
    if found is None or id.name.lower() == naming.MASTER or found.properties["status"] != "Online":
        raise ArmError(
            404, "SourceDatabaseNotFound", f"The source database '{id}' does not exist.", f"properties.{name}"
        )
    if groups.is_secondary(services.store, _server_of(services, found)):
        raise bad_request(
            "OperationNotAllowedOnSecondary",
            f"'{id}' is the secondary of a failover group, which has no backups here; name the primary's.",
            f"properties.{name}",
        )
    return found


def _server_of(services: Services, database: Resource) -> Resource:
    id = naming.server_id(database.id)  # noqa: A001
    server = services.store.get(id)
    if server is None:
        raise ArmError(404, "SourceServerNotFound", f"The source server '{id}' does not exist.")
    return server


def _id(target: Resource, sent: Sent, name: str) -> ResourceId:
    text = str(sent.get(name) or "")
    if not text:
        raise bad_request(
            "MissingSourceDatabaseId",
            f"The create mode '{sent['createMode']}' needs '{name}'.",
            f"properties.{name}",
        )
    try:
        id = parse_id(text)  # noqa: A001
    except ArmError:
        id = None  # noqa: A001
    if id is None or not id.type.lower().startswith("microsoft.sql/"):
        raise bad_request(
            "InvalidSourceDatabaseId", f"'{text}' is no id of Azure SQL's.", f"properties.{name}"
        )
    if str(id.subscription).lower() != str(target.id.subscription).lower():
        raise bad_request(
            "MismatchingSubscriptionWithUrl",
            f"The source's subscription '{id.subscription}' is not that of the server.",
            f"properties.{name}",
        )
    return id


def _moment(sent: Sent, name: str) -> float:
    """Seconds since 1970."""
    text = str(sent.get(name) or "")
    try:
        return retention.seconds(text)
    except ValueError as error:
        raise bad_request(
            "InvalidRestorePointInTime" if name == "restorePointInTime" else "InvalidParameterValue",
            f"'{text}' is no time in ISO 8601 ('{name}').",
            f"properties.{name}",
        ) from error


def _check_window(services: Services, database: Resource, moment: float, end: float) -> None:
    server = instance(services, naming.server_id(database.id).name)
    earliest = retention.earliest(services.store, server.backups, database)
    if earliest is None or earliest > end:
        raise bad_request(
            "InvalidRestorePointInTime",
            f"No backup of the database '{database.id.name}' has been taken yet.",
            "properties.restorePointInTime",
        )
    if not earliest <= moment <= end:
        raise bad_request(
            "InvalidRestorePointInTime",
            f"The restore point {timestamp(moment)} of the database '{database.id.name}' is not valid: it "
            f"must be from {timestamp(earliest)} to {timestamp(end)}.",
            "properties.restorePointInTime",
        )
