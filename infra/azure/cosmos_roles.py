"""Who may do what with the data in Cosmos DB: roles that only its data plane knows.

https://learn.microsoft.com/azure/cosmos-db/nosql/security/reference-data-plane-actions
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import cosmosdb

from infra.azure.roles import Grantee
from infra.naming import assignment

# Built in: anything with items and containers' data.
# https://learn.microsoft.com/azure/cosmos-db/nosql/security/reference-data-plane-roles
CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
# Ours. The account's own id space, so one id does for every environment.
AGENT = "8d0f7d3e-2f0a-4b57-9c39-5d1b1a6f0c11"
_ACCOUNT = "Microsoft.DocumentDB/databaseAccounts"
_CONTAINER = f"{_ACCOUNT}/sqlDatabases/containers"
# No delete: what is no longer wanted expires, and an agent that was taken over destroys no history.
AGENT_ACTIONS = (
    f"{_ACCOUNT}/readMetadata",
    f"{_CONTAINER}/executeQuery",
    f"{_CONTAINER}/items/create",
    f"{_CONTAINER}/items/read",
    f"{_CONTAINER}/items/replace",
    f"{_CONTAINER}/items/upsert",
)


class DataRoles:
    """Grants on one database of an account."""

    def __init__(
        self,
        account: cosmosdb.DatabaseAccount,
        resource_group: pulumi.Input[str],
        database: str,
        prefix: str = "",
    ) -> None:
        """`prefix` tells the grants' names from those on another account."""
        self._account, self._prefix = account, prefix
        #: Every grant that was declared.
        self.made: list[pulumi.Resource] = []
        self._group = resource_group
        self._database = pulumi.Output.concat(account.id, "/dbs/", database)

    def grant_items(
        self, containers: Sequence[str], agents: Sequence[Grantee], opts: pulumi.ResourceOptions
    ) -> None:
        """Let `agents` write, read and query items of these containers."""
        definition = cosmosdb.SqlResourceSqlRoleDefinition(
            f"{self._prefix}agent",
            role_definition_id=AGENT,
            account_name=self._account.name,
            resource_group_name=self._group,
            role_name="Agent",
            type=cosmosdb.RoleDefinitionType.CUSTOM_ROLE,
            assignable_scopes=[self._database],
            permissions=[cosmosdb.PermissionArgs(data_actions=list(AGENT_ACTIONS))],
            opts=opts,
        )
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[definition]))
        for agent in agents:
            for container in containers:
                scope = pulumi.Output.concat(self._database, "/colls/", container)
                self._assign(f"{agent.key}-{container.lower()}", AGENT, agent, scope, after)

    def grant_database(self, operators: Sequence[Grantee], opts: pulumi.ResourceOptions) -> None:
        """Let `operators` do anything with the data of the database."""
        for operator in operators:
            self._assign(f"write-{operator.key}", CONTRIBUTOR, operator, self._database, opts)

    def _assign(
        self,
        name: str,
        role: str,
        grantee: Grantee,
        scope: pulumi.Output[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        made = cosmosdb.SqlResourceSqlRoleAssignment(
            f"{self._prefix}{name}",
            account_name=self._account.name,
            resource_group_name=self._group,
            role_assignment_id=pulumi.Output.all(grantee.principal_id, scope).apply(
                lambda known: assignment(known[0], role, known[1])
            ),
            role_definition_id=pulumi.Output.concat(self._account.id, "/sqlRoleDefinitions/", role),
            principal_id=grantee.principal_id,
            scope=scope,
            opts=opts,
        )
        grantee.rights.append(made)
        self.made.append(made)
