"""Azure SQL: the database with the history of executions, its backups and its second copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import sql

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.identity import Identity
from infra.azure.place import Place
from infra.azure.sql_server import SqlServer, SqlServerArgs
from infra.settings.sections import LongTermSettings, SqlSettings

DATABASE = "AgentsDB"
_TIERS = {"GP": "GeneralPurpose", "BC": "BusinessCritical"}
# They say what a database was made from; leaving them out later must not undo a restore.
_RESTORE_INPUTS = (
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
class SqlArgs:
    """`administrator` runs the migrations and lets the agents in as users of the database.

    `backup_server` and `failover_group` are names that are used only with a paired region.
    """

    server: str
    backup_server: str
    failover_group: str
    place: Place
    settings: SqlSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    administrator: Identity


class Sql(pulumi.ComponentResource):
    """One database. With a paired region a failover group keeps a copy of it on a server there.

    `server` is the host that clients connect to: the failover group's listener, which follows the primary, or
    the server's own name. `dialect` is what the database speaks in this cloud.
    """

    def __init__(self, name: str, args: SqlArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Sql", name, None, opts)
        self._args = args
        primary = self._server(name, args.server, args.place.location)
        self.resource = self._database(primary)
        policies = self._policies(primary)
        diagnose(
            f"{name}-database",
            self.resource.id,
            args.workspace_id,
            pulumi.ResourceOptions(parent=self),
        )
        self.server = primary.resource.fully_qualified_domain_name
        if args.place.paired is not None:
            backup = self._server(f"{name}-backup", args.backup_server, args.place.paired)
            self.server = self._failover(primary, backup, policies)
        self.database = DATABASE
        self.data = {"sql-database": self.resource.id}
        self.dialect = args.place.cloud.sql_dialect
        self.register_outputs({"server": self.server, "database": self.database})

    def _server(self, key: str, server: str, location: str) -> SqlServer:
        args = self._args
        return SqlServer(
            key,
            SqlServerArgs(
                name=server,
                place=args.place,
                location=location,
                exposure=args.exposure,
                workspace_id=args.workspace_id,
                administrator=args.administrator,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _database(self, server: SqlServer) -> sql.Database:
        place, settings = self._args.place, self._args.settings
        serverless = settings.sku.startswith("GP_S_")
        return sql.Database(
            "database",
            database_name=DATABASE,
            server_name=server.name,
            resource_group_name=place.resource_group,
            location=place.location,
            sku=sku(settings.sku),
            max_size_bytes=settings.max_size_gb * 1024**3,
            min_capacity=0.5 if serverless else None,
            auto_pause_delay=self._auto_pause() if serverless else None,
            zone_redundant=place.zonal,
            requested_backup_storage_redundancy=backup_redundancy(place),
            tags=place.tags,
            opts=place.stateful(self, ignore_changes=_RESTORE_INPUTS),
        )

    def _auto_pause(self) -> int:
        """Minutes without use after which a serverless database pauses; -1 for never.

        A database with a copy elsewhere or with long-term backups cannot pause.
        https://learn.microsoft.com/azure/azure-sql/database/serverless-tier-overview#auto-pause
        """
        return -1 if self._args.place.paired or self._args.settings.long_term else 60

    def _policies(self, server: SqlServer) -> Sequence[pulumi.Resource]:
        """Encryption and backups, one after another: Azure changes one thing of a database at a time."""
        place, settings = self._args.place, self._args.settings
        encryption = sql.TransparentDataEncryption(
            "encryption",
            tde_name="current",
            database_name=self.resource.name,
            server_name=server.name,
            resource_group_name=place.resource_group,
            state=sql.TransparentDataEncryptionState.ENABLED,
            opts=pulumi.ResourceOptions(parent=self),
        )
        short = sql.BackupShortTermRetentionPolicy(
            "point-in-time",
            policy_name="default",
            database_name=self.resource.name,
            server_name=server.name,
            resource_group_name=place.resource_group,
            retention_days=settings.point_in_time_days,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[encryption]),
        )
        if settings.long_term is None:
            return [encryption, short]
        return [encryption, short, self._long_term(server, settings.long_term, short)]

    def _long_term(
        self, server: SqlServer, wanted: LongTermSettings, after: pulumi.Resource
    ) -> pulumi.Resource:
        return sql.LongTermRetentionPolicy(
            "long-term",
            policy_name="default",
            database_name=self.resource.name,
            server_name=server.name,
            resource_group_name=self._args.place.resource_group,
            weekly_retention=wanted.weekly,
            monthly_retention=wanted.monthly,
            yearly_retention=wanted.yearly,
            week_of_year=1,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[after]),
        )

    def _failover(
        self, primary: SqlServer, backup: SqlServer, after: Sequence[pulumi.Resource]
    ) -> pulumi.Output[str]:
        """The host name that follows the primary.

        People decide on a failover, as Microsoft recommends: only they know whether losing the last seconds
        of data is better than waiting.
        https://learn.microsoft.com/azure/azure-sql/database/failover-group-sql-db
        """
        args = self._args
        group = sql.FailoverGroup(
            "failover",
            failover_group_name=args.failover_group,
            server_name=primary.name,
            resource_group_name=args.place.resource_group,
            partner_servers=[sql.PartnerInfoArgs(id=backup.id)],
            databases=[self.resource.id],
            read_write_endpoint=sql.FailoverGroupReadWriteEndpointArgs(
                failover_policy=sql.ReadWriteEndpointFailoverPolicy.MANUAL
            ),
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        return pulumi.Output.concat(group.name, ".", args.place.cloud.sql_suffix)


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
