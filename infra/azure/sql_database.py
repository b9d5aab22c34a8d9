"""A database of Azure SQL as an environment has it: its size, encryption and backups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pulumi
from pulumi_azure_native import sql

from infra.azure.place import Place
from infra.settings.restores import written
from infra.settings.sections import LongTermSettings, SqlSettings

_TIERS = {"GP": "GeneralPurpose", "BC": "BusinessCritical"}
#: They say what a database was made from; leaving them out later must not undo a restore.
RESTORE_INPUTS = (
    "createMode",
    "longTermRetentionBackupResourceId",
    "recoverableDatabaseId",
    "recoveryServicesRecoveryPointId",
    "restorableDroppedDatabaseId",
    "restorePointInTime",
    "sourceDatabaseDeletionDate",
    "sourceDatabaseId",
    "sourceResourceId",
)


@dataclass(frozen=True)
class Origin:
    """What a database begins with. `source`: the resource id of what it is made from."""

    mode: sql.CreateMode
    source: pulumi.Input[str]
    as_of: datetime | None = None

    @property
    def inputs(self) -> dict[str, Any]:
        """Of the database, named as `createMode` is documented; for `Recovery` and long-term backups, where
        that names properties of old, as `az sql db geo-backup restore` and `ltr-backup restore` send them.
        https://learn.microsoft.com/rest/api/sql/databases/create-or-update
        """
        name = _SOURCES.get(self.mode, "source_database_id")
        moment = {"restore_point_in_time": written(self.as_of)} if self.as_of else {}
        return {"create_mode": self.mode, name: self.source, **moment}


_SOURCES = {
    sql.CreateMode.RECOVERY: "recoverable_database_id",
    sql.CreateMode.RESTORE_LONG_TERM_RETENTION_BACKUP: "long_term_retention_backup_resource_id",
}


def point_in_time(source: pulumi.Input[str], as_of: datetime) -> Origin:
    """The rows of a database that is there, as of a second."""
    return Origin(sql.CreateMode.POINT_IN_TIME_RESTORE, source, as_of)


def dropped(source: str, as_of: datetime) -> Origin:
    """The rows of a deleted database, by the id of its `restorableDroppedDatabases`, as of a second."""
    return Origin(sql.CreateMode.RESTORE, source, as_of)


def long_term_backup(source: str) -> Origin:
    """The rows of a long-term backup."""
    return Origin(sql.CreateMode.RESTORE_LONG_TERM_RETENTION_BACKUP, source)


def geo_backup(source: pulumi.Input[str]) -> Origin:
    """The rows of the newest geo-redundant backup, by the id of its `recoverableDatabases`: on a server in
    any region, also when the database's own is lost.

    https://learn.microsoft.com/azure/azure-sql/database/recovery-using-backups#geo-restore
    """
    return Origin(sql.CreateMode.RECOVERY, source)


def copy_of(source: pulumi.Input[str]) -> Origin:
    """The rows of a database as they are now, on whatever server it is.

    https://learn.microsoft.com/azure/azure-sql/database/database-copy
    """
    return Origin(sql.CreateMode.COPY, source)


@dataclass(frozen=True)
class DatabaseArgs:
    """`restore`: what it begins with; without, it begins empty."""

    name: str
    server: pulumi.Input[str]
    place: Place
    settings: SqlSettings
    restore: Origin | None = None


def declare_database(key: str, args: DatabaseArgs, opts: pulumi.ResourceOptions) -> sql.Database:
    place, settings, restore = args.place, args.settings, args.restore
    serverless = settings.sku.startswith("GP_S_")
    return sql.Database(
        key,
        database_name=args.name,
        server_name=args.server,
        resource_group_name=place.resource_group,
        location=place.location,
        sku=sku(settings.sku),
        max_size_bytes=settings.max_size_gb * 1024**3,
        min_capacity=0.5 if serverless else None,
        auto_pause_delay=_auto_pause(place, settings) if serverless else None,
        zone_redundant=place.zonal,
        requested_backup_storage_redundancy=backup_redundancy(place),
        tags=place.tags,
        opts=opts,
        **(restore.inputs if restore else {}),
    )


def declare_policies(
    prefix: str, database: sql.Database, args: DatabaseArgs, opts: pulumi.ResourceOptions
) -> Sequence[pulumi.Resource]:
    """Encryption and backups, one after another: Azure changes one thing of a database at a time."""
    where: dict[str, Any] = {
        "database_name": database.name,
        "server_name": args.server,
        "resource_group_name": args.place.resource_group,
    }
    encryption = sql.TransparentDataEncryption(
        f"{prefix}encryption",
        tde_name="current",
        state=sql.TransparentDataEncryptionState.ENABLED,
        opts=opts,
        **where,
    )
    short = sql.BackupShortTermRetentionPolicy(
        f"{prefix}point-in-time",
        policy_name="default",
        retention_days=args.settings.point_in_time_days,
        opts=_after(encryption, opts),
        **where,
    )
    wanted: LongTermSettings | None = args.settings.long_term
    if wanted is None:
        return [encryption, short]
    long = sql.LongTermRetentionPolicy(
        f"{prefix}long-term",
        policy_name="default",
        weekly_retention=wanted.weekly,
        monthly_retention=wanted.monthly,
        yearly_retention=wanted.yearly,
        week_of_year=1,
        opts=_after(short, opts),
        **where,
    )
    return [encryption, short, long]


def _after(before: pulumi.Resource, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[before]))


def _auto_pause(place: Place, settings: SqlSettings) -> int:
    """Minutes without use after which a serverless database pauses; -1 for never.

    A database with a copy elsewhere or with long-term backups cannot pause.
    https://learn.microsoft.com/azure/azure-sql/database/serverless-tier-overview#auto-pause
    """
    return -1 if place.paired or settings.long_term else 60


def sku(code: str) -> sql.SkuArgs:
    """A size such as `GP_S_Gen5_2`, written as Azure answers it: anything else would look like a change."""
    name, _, capacity = code.rpartition("_")
    tier = _TIERS[name.partition("_")[0]]
    return sql.SkuArgs(name=name, tier=tier, family=name.rpartition("_")[2], capacity=int(capacity))


def backup_redundancy(place: Place) -> sql.BackupStorageRedundancy:
    """Where backups are kept: what is spread over zones or regions has backups that are."""
    match (place.zonal, place.paired is not None):
        case (True, True):
            return sql.BackupStorageRedundancy.GEO_ZONE
        case (False, True):
            return sql.BackupStorageRedundancy.GEO
        case (True, False):
            return sql.BackupStorageRedundancy.ZONE
        case _:
            return sql.BackupStorageRedundancy.LOCAL
