"""Cosmos DB: the agents' executions, events and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cosmosdb

from infra.azure.cosmos_account import RESTORE_INPUTS, AccountArgs, declare_account
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

    `data` is what a lock keeps, `parts` what the account is not whole without.
    Its output `holds` is read back by `infra/stacks/recorded.py`.
    """

    def __init__(self, name: str, args: CosmosArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Cosmos", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.account = declare_account(
            name,
            AccountArgs(args.account, args.place, args.settings, args.exposure),
            args.place.stateful(self, ignore_changes=RESTORE_INPUTS),
        )
        database = self._database()
        wanted = containers(args.settings)
        made = [self._container(container, database) for container in wanted]
        roles = DataRoles(self.account, args.place.resource_group, DATABASE)
        # A role's scope must exist before it is granted.
        after = pulumi.ResourceOptions(parent=self, depends_on=made)
        roles.grant_items([container.name for container in wanted], args.agents, after)
        roles.grant_database(args.operators, after)
        connected = args.exposure.connect(name, args.place, Service.COSMOS, self.account.id, child)
        logs = diagnose(name, self.account.id, args.workspace_id, child)
        self.parts = [*made, *roles.made, *connected, logs]
        self.data = {"cosmos-database": database.id}
        self.endpoint = self.account.document_endpoint
        holds = {args.account: self.account.instance_id}
        self.register_outputs({"endpoint": self.endpoint, "holds": holds})

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
