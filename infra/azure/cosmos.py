"""Cosmos DB: the agents' executions, events and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cosmosdb

from infra.azure.cosmos_containers import Container, containers
from infra.azure.cosmos_roles import DataRoles
from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee
from infra.settings.sections import CosmosSettings

DATABASE = "AgentsDB"
CONTAINER = "Events"
LEDGER = "Ledger"
# They make another account out of this one; leaving them out later must not undo a restore.
_RESTORE_INPUTS = ("createMode", "restoreParameters")


@dataclass(frozen=True)
class CosmosArgs:
    """`agents` work on the items of the containers; `operators` may do anything with the database's data."""

    account: str
    place: Place
    settings: CosmosSettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    agents: Sequence[Grantee]
    operators: Sequence[Grantee]


class Cosmos(pulumi.ComponentResource):
    """Account, database and containers without keys, backed up continuously.

    With a paired region the account lives in both, and Azure moves writes when the first is lost. `data` is
    what a lock keeps.
    """

    def __init__(self, name: str, args: CosmosArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Cosmos", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.account = self._account(name)
        database = self._database()
        wanted = containers(args.settings)
        made = [self._container(container, database) for container in wanted]
        roles = DataRoles(self.account, args.place.resource_group, DATABASE)
        # A role's scope must exist before it is granted.
        after = pulumi.ResourceOptions(parent=self, depends_on=made)
        roles.grant_items([container.name for container in wanted], args.agents, after)
        roles.grant_database(args.operators, after)
        args.exposure.connect(name, args.place, Service.COSMOS, self.account.id, child)
        diagnose(name, self.account.id, args.workspace_id, child)
        self.data = {"cosmos-database": database.id}
        self.endpoint = self.account.document_endpoint
        self.register_outputs({"endpoint": self.endpoint})

    def _account(self, name: str) -> cosmosdb.DatabaseAccount:
        args, place = self._args, self._args.place
        return cosmosdb.DatabaseAccount(
            name,
            account_name=args.account,
            resource_group_name=place.resource_group,
            location=place.location,
            kind=cosmosdb.DatabaseAccountKind.GLOBAL_DOCUMENT_DB,
            database_account_offer_type=cosmosdb.DatabaseAccountOfferType.STANDARD,
            locations=[
                cosmosdb.LocationArgs(
                    location_name=region, failover_priority=priority, is_zone_redundant=place.zonal
                )
                for priority, region in enumerate(filter(None, (place.location, place.paired)))
            ],
            # Also with one region, where it means nothing: Azure refuses to add a region and to change
            # another property in one request.
            enable_automatic_failover=True,
            consistency_policy=cosmosdb.ConsistencyPolicyArgs(
                default_consistency_level=cosmosdb.DefaultConsistencyLevel.SESSION
            ),
            backup_policy=cosmosdb.ContinuousModeBackupPolicyArgs(
                type="Continuous",
                continuous_mode_properties=cosmosdb.ContinuousModePropertiesArgs(tier=args.settings.backup),
            ),
            disable_local_auth=True,
            disable_key_based_metadata_write_access=True,
            minimal_tls_version=cosmosdb.MinimalTlsVersion.TLS12,
            public_network_access=args.exposure.public_network_access,
            ip_rules=[
                cosmosdb.IpAddressOrRangeArgs(ip_address_or_range=address)
                for address in args.exposure.addresses
            ],
            tags=place.tags,
            opts=place.stateful(self, ignore_changes=_RESTORE_INPUTS),
        )

    def _database(self) -> cosmosdb.SqlResourceSqlDatabase:
        return cosmosdb.SqlResourceSqlDatabase(
            "database",
            account_name=self.account.name,
            resource_group_name=self._args.place.resource_group,
            database_name=DATABASE,
            resource=cosmosdb.SqlDatabaseResourceArgs(id=DATABASE),
            opts=self._args.place.stateful(self),
        )

    def _container(self, container: Container, database: pulumi.Resource) -> pulumi.Resource:
        return cosmosdb.SqlResourceSqlContainer(
            container.name.lower(),
            account_name=self.account.name,
            resource_group_name=self._args.place.resource_group,
            database_name=DATABASE,
            container_name=container.name,
            resource=container.resource(),
            options=cosmosdb.CreateUpdateOptionsArgs(
                autoscale_settings=cosmosdb.AutoscaleSettingsArgs(
                    max_throughput=self._args.settings.throughput
                )
            ),
            # Throughput is tuned on the running container (the runbook's `throughput update`), and Azure
            # ignores it in later updates of the container.
            opts=self._args.place.stateful(self, depends_on=[database], ignore_changes=["options"]),
        )
