"""Accounts as an operator has them: made, filled, deleted and restored through the official clients."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from azure.cosmos import ContainerProxy, CosmosClient
from azure.mgmt.cosmosdb import CosmosDBManagementClient

from tests.sandbox.azure.documentdb.clouds import GROUP, KEY, body
from tests.sandbox.served import Served, client, credential

CONTINUOUS = {"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}}
CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"


def moment() -> str:
    """Now: after every write that was answered, before every one that is yet to be sent."""
    return datetime.now(UTC).isoformat()


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


class Estate:
    def __init__(self, cloud: Served) -> None:
        self._cloud = cloud
        self.cosmos: Any = client(cloud, CosmosDBManagementClient)
        self.sql: Any = self.cosmos.sql_resources

    def account(self, name: str, *, group: str = GROUP, **properties: Any) -> Any:
        sent = body(disableLocalAuth=True, **{"backupPolicy": CONTINUOUS, **properties})
        return self.cosmos.database_accounts.begin_create_or_update(group, name, sent).result()

    def filled(self, name: str, *, group: str = GROUP, **properties: Any) -> ContainerProxy:
        """An account with the database AgentsDB, its container Events, and a client that may write."""
        self.account(name, group=group, **properties)
        self.database(name, group=group)
        self.container(name, group=group)
        return self.events(name, group=group)

    def database(self, account: str, name: str = "AgentsDB", *, group: str = GROUP, **options: Any) -> None:
        sent = {"properties": {"resource": {"id": name}, "options": options}}
        self.sql.begin_create_update_sql_database(group, account, name, sent).result()

    def container(
        self,
        account: str,
        name: str = "Events",
        *,
        group: str = GROUP,
        database: str = "AgentsDB",
        throughput: int | None = None,
        **resource: Any,
    ) -> None:
        options = {"throughput": throughput} if throughput else {}
        properties = {"resource": {"id": name, "partitionKey": KEY, **resource}, "options": options}
        self.sql.begin_create_update_sql_container(
            group, account, database, name, {"properties": properties}
        ).result()

    def grant(self, account: str, *, group: str = GROUP) -> None:
        """Let the tests' principal work with the account's data."""
        owner = self.cosmos.database_accounts.get(group, account).id
        properties = {
            "principalId": self._cloud.deployer["objectId"],
            "roleDefinitionId": f"{owner}/sqlRoleDefinitions/{CONTRIBUTOR}",
            "scope": owner,
        }
        self.sql.begin_create_update_sql_role_assignment(
            str(uuid.uuid4()), group, account, {"properties": properties}
        ).result()

    def open(self, account: str, name: str = "Events", *, database: str = "AgentsDB") -> ContainerProxy:
        url = f"https://{account}.documents.azure.test:443/"
        data = CosmosClient(url, credential(self._cloud), retry_total=2)
        return data.get_database_client(database).get_container_client(name)

    def events(self, account: str, name: str = "Events", *, group: str = GROUP) -> ContainerProxy:
        self.grant(account, group=group)
        return self.open(account, name)

    def restorable(self, account: str) -> Any:
        """The newest restorable account of that name."""
        found = [
            one for one in self.cosmos.restorable_database_accounts.list() if one.account_name == account
        ]
        return max(found, key=lambda one: one.creation_time)

    def request(self, source: Any, at: object, **changes: Any) -> dict[str, Any]:
        """The body of a restore; `changes` to its parameters, or to its properties."""
        parameters = {
            "restoreMode": "PointInTime",
            "restoreSource": source if isinstance(source, str) else source.id,
            "restoreTimestampInUtc": at,
        }
        of_parameters = ("databasesToRestore", "restoreWithTtlDisabled", "restoreMode")
        parameters |= {name: changes.pop(name) for name in of_parameters if name in changes}
        return body(
            **{
                "createMode": "Restore",
                "restoreParameters": parameters,
                "backupPolicy": CONTINUOUS,
                "disableLocalAuth": True,
                **changes,
            }
        )

    def restore(self, name: str, source: Any, at: object, **changes: Any) -> Any:
        sent = self.request(source, at, **changes)
        return self.cosmos.database_accounts.begin_create_or_update(GROUP, name, sent).result()

    def gone(self, name: str, *, group: str = GROUP) -> None:
        self.cosmos.database_accounts.begin_delete(group, name).result()


def contents(container: ContainerProxy) -> dict[str, dict[str, Any]]:
    """Every document, by its id, with all that the service says of it."""
    return {str(one["id"]): dict(one) for one in container.read_all_items()}
