"""Cosmos DB: the agents' executions and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import cosmosdb

from infra.azure.roles import Grantee
from infra.naming import assignment

DATABASE = "AgentsDB"
CONTAINER = "Events"
PARTITION_KEY = "/agent"
# https://learn.microsoft.com/azure/cosmos-db/nosql/security/reference-data-plane-roles
READER = "00000000-0000-0000-0000-000000000001"
CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"


@dataclass(frozen=True)
class CosmosArgs:
    """`throughput` is the autoscale maximum of the container, in RU/s."""

    account: str
    location: str
    resource_group: pulumi.Input[str]
    writers: Sequence[Grantee]
    throughput: int
    tags: dict[str, str]


class Cosmos(pulumi.ComponentResource):
    """Account, database and container without keys; data-plane roles on the database only."""

    def __init__(self, name: str, args: CosmosArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Cosmos", name, None, opts)
        self._group = args.resource_group
        self.account = cosmosdb.DatabaseAccount(
            name,
            account_name=args.account,
            resource_group_name=args.resource_group,
            location=args.location,
            kind=cosmosdb.DatabaseAccountKind.GLOBAL_DOCUMENT_DB,
            database_account_offer_type=cosmosdb.DatabaseAccountOfferType.STANDARD,
            locations=[cosmosdb.LocationArgs(location_name=args.location, failover_priority=0)],
            consistency_policy=cosmosdb.ConsistencyPolicyArgs(
                default_consistency_level=cosmosdb.DefaultConsistencyLevel.SESSION
            ),
            backup_policy=cosmosdb.ContinuousModeBackupPolicyArgs(
                type="Continuous",
                continuous_mode_properties=cosmosdb.ContinuousModePropertiesArgs(
                    tier=cosmosdb.ContinuousTier.CONTINUOUS7_DAYS
                ),
            ),
            disable_local_auth=True,
            minimal_tls_version=cosmosdb.MinimalTlsVersion.TLS12,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        database = self._database()
        self._container(args.throughput, database)
        self._roles(args.writers)
        self.endpoint = self.account.document_endpoint
        self.register_outputs({"endpoint": self.endpoint})

    def _database(self) -> cosmosdb.SqlResourceSqlDatabase:
        return cosmosdb.SqlResourceSqlDatabase(
            "database",
            account_name=self.account.name,
            resource_group_name=self._group,
            database_name=DATABASE,
            resource=cosmosdb.SqlDatabaseResourceArgs(id=DATABASE),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _container(self, throughput: int, database: pulumi.Resource) -> None:
        cosmosdb.SqlResourceSqlContainer(
            "events",
            account_name=self.account.name,
            resource_group_name=self._group,
            database_name=DATABASE,
            container_name=CONTAINER,
            resource=cosmosdb.SqlContainerResourceArgs(
                id=CONTAINER,
                partition_key=cosmosdb.ContainerPartitionKeyArgs(
                    paths=[PARTITION_KEY], kind=cosmosdb.PartitionKind.HASH, version=2
                ),
            ),
            options=cosmosdb.CreateUpdateOptionsArgs(throughput=throughput),
            # Throughput is tuned on the running container (the runbook's `throughput update`), and Azure
            # ignores it in later updates of the container.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[database], ignore_changes=["options"]),
        )

    def _roles(self, writers: Sequence[Grantee]) -> None:
        scope = pulumi.Output.concat(self.account.id, "/dbs/", DATABASE)
        for writer in writers:
            cosmosdb.SqlResourceSqlRoleAssignment(
                f"write-{writer.key}",
                account_name=self.account.name,
                resource_group_name=self._group,
                role_assignment_id=pulumi.Output.all(writer.principal_id, scope).apply(
                    lambda known: assignment(known[0], CONTRIBUTOR, known[1])
                ),
                role_definition_id=pulumi.Output.concat(self.account.id, "/sqlRoleDefinitions/", CONTRIBUTOR),
                principal_id=writer.principal_id,
                scope=scope,
                opts=pulumi.ResourceOptions(parent=self),
            )
