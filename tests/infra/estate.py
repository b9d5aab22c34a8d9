"""What Resource Manager says of an environment's data: as it was, deleted, restored; a dictionary by path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.naming import Names, restored_database, stamp
from infra.settings.restores import Service, written
from infra.stacks.recorded import Recorded
from infra.stacks.restore_sources import Sources

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLDEST = NOW - timedelta(days=7)
DELETED = datetime(2026, 11, 28, 10, 0, 0, 500_000, tzinfo=UTC)
_GROUP = "resourceGroups/rg-agents-dev/providers"
SERVER = f"{_GROUP}/Microsoft.Sql/servers/sql-agents-dev"
SQL = f"{SERVER}/databases/AgentsDB"
COSMOS = f"{_GROUP}/Microsoft.DocumentDB/databaseAccounts/cosmos-agents-dev"
RESTORABLE = "providers/Microsoft.DocumentDB/locations/westeurope/restorableDatabaseAccounts"
DROPPED = f"{SERVER}/restorableDroppedDatabases"
#: Ids of the original account and database.
ACCOUNT, DATABASE = "aaaaaaaa-0000-4000-8000-000000000001", "dddddddd-0000-4000-8000-000000000001"
RECORDED = [
    Recorded("cosmos", "cosmos-agents-dev", ACCOUNT),
    Recorded("sql", "AgentsDB", DATABASE),
]


class Estate(dict[str, dict[str, Any]]):
    """Answers by path; begins with both services there, each with a week of history."""

    def __init__(self) -> None:
        super().__init__()
        self[SERVER] = {"properties": {}}
        self[SQL] = {
            "id": f"/{SQL}",
            "properties": {"earliestRestoreDate": written(OLDEST), "creationDate": written(OLDEST)},
        }
        self[DROPPED] = {"value": []}
        self[RESTORABLE] = {"value": []}
        self.account(COSMOS, ACCOUNT)

    def account(self, path: str, instance: str, restored_from: str | None = None) -> None:
        """An account that is there."""
        source = {"restoreSource": f"/x/restorableDatabaseAccounts/{restored_from}"}
        self[path] = {
            "location": "West Europe",
            "properties": {
                "instanceId": instance,
                **({"restoreParameters": source} if restored_from else {}),
            },
        }
        self[RESTORABLE]["value"].append(
            {
                "id": f"/{RESTORABLE}/{instance}",
                "name": instance,
                "properties": {
                    "accountName": path.rpartition("/")[2],
                    "oldestRestorableTime": written(OLDEST),
                },
            }
        )

    def delete_account(self, instance: str = ACCOUNT, at: datetime = DELETED) -> None:
        (one,) = [one for one in self[RESTORABLE]["value"] if one["name"] == instance]
        one["properties"]["deletionTime"] = at.isoformat()
        del self[f"{_GROUP}/Microsoft.DocumentDB/databaseAccounts/{one['properties']['accountName']}"]

    def drop(self, at: datetime = DELETED) -> None:
        """The database."""
        known = self.pop(SQL)["properties"]
        self[DROPPED]["value"].append(
            {
                "id": f"/{DROPPED}/AgentsDB,1",
                "properties": {"databaseName": "AgentsDB", "deletionDate": at.isoformat(), **known},
            }
        )

    def delete_server(self) -> None:
        """With all that lies on it."""
        for path in [path for path in self if path.startswith(SERVER)]:
            del self[path]

    def back_up(self, at: datetime) -> None:
        """A long-term backup of the database."""
        path = (
            "providers/Microsoft.Sql/locations/westeurope/longTermRetentionServers/sql-agents-dev"
            "/longTermRetentionDatabases/AgentsDB/longTermRetentionBackups"
        )
        kept = self.setdefault(path, {"value": []})
        kept["value"].append({"id": f"/{path}/{stamp(at)}", "properties": {"backupTime": at.isoformat()}})

    def copy(self, service: Service, as_of: datetime, *, made: datetime, of: str = ACCOUNT) -> None:
        """A restored one, made at `made` of the account `of`."""
        if service == "sql":
            self[f"{SERVER}/databases/{restored_database('AgentsDB', as_of)}"] = {
                "id": "/copy",
                "properties": {"creationDate": written(made), "earliestRestoreDate": written(made)},
            }
        else:
            self.account(f"{COSMOS}-{stamp(as_of)}", f"cccccccc-0000-4000-8000-{stamp(as_of)[2:]}", of)

    @property
    def sources(self) -> Sources:
        return Sources(Names("dev"), "westeurope", lambda path, _version: self.get(path))
