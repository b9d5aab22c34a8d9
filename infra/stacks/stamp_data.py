"""A stamp's data: the source's, that failed over, or its own, made from the source's backups.

Own data is there in every phase, as nothing else has it. When the phase is `returned` it can be fetched by
the source's `agents:restores`: the database says that nobody writes it any more, and the account is in the
source's region too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from infra.azure.cosmos import CosmosArgs
from infra.azure.cosmos_restored import RestoredCosmos, RestoredCosmosArgs, restorable
from infra.azure.cosmos_shared import SharedCosmos, SharedCosmosArgs
from infra.azure.exposure import Exposure
from infra.azure.identity import Identity
from infra.azure.place import Place
from infra.azure.roles import Grantee
from infra.azure.sql import NOBODY, SERVES, Sql, SqlArgs
from infra.azure.sql_database import geo_backup
from infra.naming import Names
from infra.settings import Settings
from infra.settings.restores import Restore
from infra.stacks.ground import Ground
from infra.stacks.source import Source


@dataclass(frozen=True)
class StampDataArgs:
    """`restored_from`: region and instance id of the account that the stamp's own is restored from."""

    settings: Settings
    names: Names
    source: Source
    place: Place
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    agents: Sequence[Grantee]
    operators: Sequence[Grantee]
    restored_from: tuple[str, str]

    @property
    def returned(self) -> bool:
        return self.settings.recovery.phase == "returned"

    @property
    def both(self) -> Place:
        """The stamp's region, and the source's as the one of second copies: backups of what was restored are
        geo-redundant too."""
        return replace(self.place, paired=self.source.settings.location)


@dataclass(frozen=True)
class StampData:
    """`sql` and its `administrator` where the database is the stamp's own."""

    documents: SharedCosmos | RestoredCosmos
    sql: Sql | None = None
    administrator: Identity | None = None

    @property
    def own(self) -> list[pulumi.Resource]:
        """The components that hold data which nothing else has."""
        return [one for one in (self.documents, self.sql) if isinstance(one, RestoredCosmos | Sql)]

    @property
    def locked(self) -> dict[str, pulumi.Input[str]]:
        """What a lock keeps, by the lock's name."""
        kept: dict[str, pulumi.Input[str]] = {}
        for one in (self.documents, self.sql):
            if isinstance(one, RestoredCosmos | Sql):
                kept |= one.data
        return kept


def declare(base: Ground, source: Source, restored_from: tuple[str, str]) -> StampData:
    args = StampDataArgs(
        settings=base.settings,
        names=base.names,
        source=source,
        place=base.place,
        exposure=base.exposure,
        workspace_id=base.workspace,
        agents=base.agents,
        operators=base.operators,
        restored_from=restored_from,
    )
    documents = documents_of(args)
    if base.settings.recovery.sql == "failover":
        return StampData(documents)
    administrator = base.identity("migration")
    return StampData(documents, own_sql(args, administrator), administrator)


def documents_of(args: StampDataArgs) -> SharedCosmos | RestoredCosmos:
    """The source's account with the stamp's roles, or the stamp's own."""
    settings, source = args.settings, args.source
    if settings.recovery.as_of is None:
        return SharedCosmos(
            "cosmos",
            SharedCosmosArgs(
                account=source.account,
                resource_group=source.names.resource_group,
                settings=source.settings.cosmos,
                endpoint=source.account_endpoint,
                place=args.place,
                exposure=args.exposure,
                agents=args.agents,
            ),
        )
    like = CosmosArgs(
        account=args.names.cosmos,
        place=args.both,
        settings=settings.cosmos,
        exposure=args.exposure,
        workspace_id=args.workspace_id,
        agents=args.agents,
        operators=args.operators,
    )
    home, instance = args.restored_from
    return RestoredCosmos(
        "cosmos",
        RestoredCosmosArgs(
            like,
            Restore(as_of=settings.recovery.as_of, services=("cosmos",), paired=args.returned),
            restorable(home, instance),
            args.names.republisher,
            home=home,
        ),
    )


def own_sql(args: StampDataArgs, administrator: Identity) -> Sql:
    """A server of the stamp's own, with the newest geo-redundant backup of the source's database."""
    source, place = args.source, args.both
    serves = NOBODY if args.returned else args.settings.environment
    return Sql(
        "sql",
        SqlArgs(
            server=args.names.sql,
            backup_server=args.names.sql_backup,
            failover_group=args.names.failover_group,
            place=replace(place, tags={**place.tags, SERVES: serves}),
            # The source is where it returns to: no second server meanwhile.
            settings=args.settings.sql.model_copy(update={"failover_group": False}),
            exposure=args.exposure,
            workspace_id=args.workspace_id,
            administrator=administrator,
            origin=geo_backup(source.first_server.child(f"recoverableDatabases/{source.database}")),
        ),
    )
