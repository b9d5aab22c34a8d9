"""Azure SQL: the database with the history of executions, its backups and its second copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pulumi
from pulumi_azure_native import sql

from infra.azure.conforming import Copy, once_conforming
from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.identity import Identity
from infra.azure.place import Place
from infra.azure.sql_database import (
    RESTORE_INPUTS,
    DatabaseArgs,
    Origin,
    backup_redundancy,
    declare_database,
    declare_policies,
    point_in_time,
    sku,
)
from infra.azure.sql_server import SqlServer, SqlServerArgs
from infra.naming import restored_database, stamp
from infra.recovery import facts
from infra.settings.restores import Restore
from infra.settings.sections import SqlSettings

DATABASE = "AgentsDB"
#: A stamp's own database says in a tag whom it serves: nobody, once it is ready to be fetched.
SERVES, NOBODY = "serves", "nobody"


@dataclass(frozen=True)
class SqlArgs:
    """`administrator` runs the migrations and lets the agents in as users of the database.

    `backup_server`, its administrator (without one, the same) and `failover_group` are used only with a
    paired region, and a failover group in the settings. `origin`: what the database begins with.
    `origins`: what a restore, by its moment, is made from where that is no database that is there.
    """

    server: str
    backup_server: str
    failover_group: str
    place: Place
    settings: SqlSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    administrator: Identity
    backup_administrator: Identity | None = None
    origin: Origin | None = None
    restores: Sequence[Restore] = ()
    origins: Mapping[datetime, Origin] = field(default_factory=dict)


class Sql(pulumi.ComponentResource):
    """One database, and beside it what was restored of it. `database` is the one that agents use.

    With a paired region a failover group keeps copies on a server there. `server` is the host that clients
    connect to: the failover group's listener, which follows the primary, or the server's own name. `dialect`
    is what the database speaks in this cloud. Its outputs `holds` and `madeOf` are read back by
    `infra/stacks/recorded.py`.
    With a restore adopted, `server` is known once that one is like the original; with an `origin`, once the
    database is what the settings say.
    """

    def __init__(self, name: str, args: SqlArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Sql", name, None, opts)
        self._args = args
        primary = self._server(name, args.server, args.place.location, args.administrator)
        original, ready, logs = self._database(name, primary)
        parts = [*ready, logs]
        self.database, copied, used = DATABASE, [original], None
        known: dict[datetime | None, sql.Database] = {None: original}
        for restore in args.restores:
            known[restore.as_of], policies = self._restored(name, primary, restore, known[restore.of])
            if restore.adopted:
                self.database = restored_database(DATABASE, restore.as_of)
                used = known[restore.as_of], policies
            if restore.paired:
                copied.append(known[restore.as_of])
                ready = [*ready, *policies]
        self.server = primary.resource.fully_qualified_domain_name
        if args.place.paired is not None and args.settings.failover_group:
            administrator = args.backup_administrator or args.administrator
            backup = self._server(f"{name}-backup", args.backup_server, args.place.paired, administrator)
            self.server = self._failover(primary, backup, copied, ready)
        if used is not None:
            restored, after = used
            copy = Copy("database", facts.database, restored.id, original.id, [*parts, *after])
            self.server = once_conforming(self.server, args.place.cloud, copy)
        elif args.origin is not None:
            begun = Copy("database", facts.database, original.id, self._wanted(), parts)
            self.server = once_conforming(self.server, args.place.cloud, begun)
        self.data = {"sql-database": original.id}
        self.dialect = args.place.cloud.sql_dialect
        holds = {
            restored_database(DATABASE, as_of) if as_of else DATABASE: database.database_id
            for as_of, database in known.items()
        }
        made_of = {restored_database(DATABASE, one.as_of): one.made_of for one in args.restores}
        self.register_outputs(
            {"server": self.server, "database": self.database, "holds": holds, "madeOf": made_of}
        )

    def _database(
        self, name: str, primary: SqlServer
    ) -> tuple[sql.Database, Sequence[pulumi.Resource], pulumi.Resource]:
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        wanted = DatabaseArgs(DATABASE, primary.name, args.place, args.settings, args.origin)
        database = declare_database(
            "database", wanted, args.place.stateful(self, ignore_changes=RESTORE_INPUTS)
        )
        policies = declare_policies("", database, wanted, child)
        logs = diagnose(f"{name}-database", database.id, args.workspace_id, child)
        return database, policies, logs

    def _wanted(self) -> facts.Facts:
        """What a restore does not bring, by the settings: there is no original to look at."""
        args = self._args
        size = sku(args.settings.sku)
        return {
            "size": (size.name, size.capacity),
            "maxSizeBytes": args.settings.max_size_gb * 1024**3,
            "requestedBackupStorageRedundancy": backup_redundancy(args.place).value,
            "point-in-time retention": args.settings.point_in_time_days,
            "server: publicNetworkAccess": args.exposure.public_network_access,
        }

    def _restored(
        self, name: str, primary: SqlServer, restore: Restore, source: sql.Database
    ) -> tuple[sql.Database, Sequence[pulumi.Resource]]:
        """Its users come with its rows; sizes, encryption, retention and diagnostics do not."""
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        key = f"{name}-{stamp(restore.as_of)}"
        wanted = DatabaseArgs(
            restored_database(DATABASE, restore.as_of),
            primary.name,
            args.place,
            args.settings,
            args.origins.get(restore.as_of) or point_in_time(source.id, restore.as_of),
        )
        options = args.place.restored(self, kept=restore.kept, ignore_changes=RESTORE_INPUTS)
        database = declare_database(key, wanted, options)
        policies = declare_policies(f"{key}-", database, wanted, child)
        logs = diagnose(key, database.id, args.workspace_id, child)
        return database, [*policies, logs]

    def _server(self, key: str, server: str, location: str, administrator: Identity) -> SqlServer:
        args = self._args
        return SqlServer(
            key,
            SqlServerArgs(
                name=server,
                place=args.place,
                location=location,
                exposure=args.exposure,
                workspace_id=args.workspace_id,
                administrator=administrator,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _failover(
        self,
        primary: SqlServer,
        backup: SqlServer,
        databases: Sequence[sql.Database],
        after: Sequence[pulumi.Resource],
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
            databases=[one.id for one in databases],
            read_write_endpoint=sql.FailoverGroupReadWriteEndpointArgs(
                failover_policy=sql.ReadWriteEndpointFailoverPolicy.MANUAL
            ),
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        return pulumi.Output.concat(group.name, ".", args.place.cloud.sql_suffix)
