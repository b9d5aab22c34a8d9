"""What the agents keep in Cosmos DB: the database's containers, how they are cut, indexed and forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi_azure_native import cosmosdb

from infra.settings.sections import CosmosSettings

_DAY = 24 * 3600
# The current year of daily budgets, and a month to close it in.
_LEDGER_DAYS = 400


@dataclass(frozen=True)
class Container:
    """`indexed`: the properties that queries filter or sort by, the partition key among them: Cosmos DB
    indexes it only when told to. `ttl` in seconds.
    """

    name: str
    partition_key: str
    indexed: tuple[str, ...]
    ttl: int

    def resource(self) -> cosmosdb.SqlContainerResourceArgs:
        return cosmosdb.SqlContainerResourceArgs(
            id=self.name,
            partition_key=cosmosdb.ContainerPartitionKeyArgs(
                paths=[self.partition_key], kind=cosmosdb.PartitionKind.HASH, version=2
            ),
            default_ttl=self.ttl,
            indexing_policy=cosmosdb.IndexingPolicyArgs(
                automatic=True,
                indexing_mode=cosmosdb.IndexingMode.CONSISTENT,
                included_paths=[cosmosdb.IncludedPathArgs(path=f"{path}/?") for path in self.indexed],
                # Azure adds the second one itself; without it every refresh would find a difference.
                excluded_paths=[
                    cosmosdb.ExcludedPathArgs(path="/*"),
                    cosmosdb.ExcludedPathArgs(path='/"_etag"/?'),
                ],
            ),
        )

    def wire(self) -> dict[str, Any]:
        """The same as Resource Manager's JSON, for a deployment."""
        return {
            "id": self.name,
            "partitionKey": {"paths": [self.partition_key], "kind": "Hash", "version": 2},
            "defaultTtl": self.ttl,
            "indexingPolicy": {
                "automatic": True,
                "indexingMode": "consistent",
                "includedPaths": [{"path": f"{path}/?"} for path in self.indexed],
                "excludedPaths": [{"path": "/*"}, {"path": '/"_etag"/?'}],
            },
        }


def containers(settings: CosmosSettings) -> tuple[Container, ...]:
    """Executions and events with what is still to be published of them, and the tokens spent.

    `Events` has all of an agent in one partition, so that an execution and its outbox entries are written in
    one transaction; only entries that are not published yet have `pendingSince`: that index stays small.
    `Ledger` is cut by day so that an agent's reservation and the total it counts towards change in one
    transaction, which Cosmos DB allows within a partition.
    """
    return (
        Container(
            "Events",
            "/agent",
            ("/agent", "/type", "/startedAt", "/correlationId", "/pendingSince", "/target"),
            settings.events_days * _DAY,
        ),
        Container("Ledger", "/day", ("/day", "/agent"), _LEDGER_DAYS * _DAY),
    )
