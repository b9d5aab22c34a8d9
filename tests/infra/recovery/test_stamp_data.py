"""A stamp with data of its own, and that data's way back, through real engines on real stores."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.naming import restored_database
from infra.settings.restores import written
from sandbox.azure.sql import archive
from sandbox.azure.sql.instance import instance
from tests.infra.recovery import stamp as far
from tests.infra.recovery.stack import ACCOUNT, DATABASE, GROUP, SERVER, Stack
from tests.infra.recovery.stamp import Stamp
from tests.infra.recovery.test_lost_data import second
from tests.sandbox.azure.documentdb.estate import Estate
from tests.sandbox.served import Served

pytestmark = [pytest.mark.timeout(900)]
#: As `dev`, with documents in two regions and rows in one: what geo-restore is for.
WIDE: dict[str, Any] = {
    "paired_location": "northeurope",
    "registry": {"sku": "Premium"},
    "sql": {"sku": "GP_Gen5_2", "failover_group": False},
}


class Data:
    """Rows and documents, looked at beside the program."""

    def __init__(self, cloud: Served) -> None:
        self._services = cloud.cloud.services
        self.documents = Estate(cloud)

    def add_row(self, row: str, server: str = SERVER) -> None:
        async def run() -> None:
            async with instance(self._services, server).connect(DATABASE) as connection:
                await connection.execute("CREATE TABLE IF NOT EXISTS sentinels (name text PRIMARY KEY)")
                await connection.execute("INSERT INTO sentinels VALUES (%s)", (row,))

        asyncio.run(run())

    def back_up_log(self, server: str = SERVER) -> None:
        asyncio.run(archive.complete(instance(self._services, server)))

    def rows(self, server: str, database: str = DATABASE) -> set[str]:
        async def run() -> set[str]:
            async with instance(self._services, server).connect(database) as connection:
                found = await connection.execute("SELECT name FROM sentinels")
                return {name for (name,) in await found.fetchall()}

        return asyncio.run(run())

    def add_document(self, id: str, account: str = ACCOUNT) -> None:  # noqa: A002 - Cosmos DB's word
        self.documents.open(account, "Events").upsert_item({"id": id, "agent": "devops"})

    def ids(self, account: str) -> set[str]:
        found = self.documents.open(account, "Events").query_items(
            "SELECT c.id FROM c", partition_key="devops"
        )
        return {one["id"] for one in found}


@pytest.fixture
def data(cloud: Served) -> Data:
    return Data(cloud)


def server_of(stack: Stack, name: str, group: str) -> dict[str, tuple[str, str]]:
    """Databases of a server: id and whom they serve."""
    found = stack.sql.databases.list_by_server(group, name)
    return {
        one.name: (one.database_id, (one.tags or {}).get("serves", ""))
        for one in found
        if one.name != "master"
    }


def test_rows_are_restored_where_their_region_is_lost_and_fetched_when_it_is_back(
    cloud: Served, stack: Stack, stamp: Stamp, data: Data
) -> None:
    stack.configure(**WIDE)
    stack.up()
    stamp.configure(stack.settings, sql="geo-restore")
    # No backup has come to the other region yet.
    cloud.command("fault delay", target="backups", service="sql", seconds=3600, name=SERVER)
    assert "no geo-redundant backup of database AgentsDB of server sql-agents-dev" in stamp.up(fails=True)
    cloud.command("fault clear")
    stack.backed_up()
    data.add_row("before")
    data.back_up_log()
    originals = stack.accounts(), stack.databases()

    cloud.command("outage begin", region="westeurope")
    stamp.up()
    assert data.rows(far.SERVER) == {"before"}
    own = server_of(stack, far.SERVER, far.GROUP)
    assert own[DATABASE][1] == "dev-dr"
    (database,) = [
        one for one in stack.sql.databases.list_by_server(far.GROUP, far.SERVER) if one.name == DATABASE
    ]
    assert (database.location, database.requested_backup_storage_redundancy) == ("northeurope", "Geo")
    stamp.unchanged()
    data.add_row("meanwhile", far.SERVER)
    stamp.configure(stack.settings)
    assert "dev-dr has a SQL database of its own" in stamp.up(fails=True)

    cloud.command("outage end", region="westeurope")
    assert (stack.accounts(), stack.databases()) == originals
    assert data.rows(SERVER) == {"before"}
    as_of = second()
    fetched: dict[str, Any] = {"as_of": written(as_of), "services": ["sql"], "stamp": "dev-dr"}
    stack.configure(**WIDE, restores=[fetched])
    assert "dev-dr has no database for itself that is ready to be fetched" in stack.up(fails=True)
    stamp.configure(stack.settings, sql="geo-restore", phase="returned")
    stamp.up()
    assert server_of(stack, far.SERVER, far.GROUP)[DATABASE] == (own[DATABASE][0], "nobody")
    stack.up()
    beside = restored_database(DATABASE, as_of)
    assert stack.project.outputs()["database"] == beside
    assert data.rows(SERVER, beside) == {"before", "meanwhile"}
    assert data.rows(SERVER) == {"before"}
    stamp.project.pulumi("destroy", "--yes", "--skip-preview")
    stack.project.pulumi("preview", "--refresh", "--expect-no-changes")


def test_documents_are_restored_to_a_moment_and_fetched(
    cloud: Served, stack: Stack, stamp: Stamp, data: Data
) -> None:
    stack.configure(**WIDE)
    stack.up()
    stack.backed_up()
    data.back_up_log()
    before = datetime.now(UTC).replace(microsecond=0)
    data.add_document("right")
    as_of = second()
    data.add_document("wrong")
    original = stack.accounts()

    def restored(moment: datetime, **more: Any) -> None:
        stamp.configure(stack.settings, sql="geo-restore", cosmos="restore", as_of=written(moment), **more)

    restored(before - timedelta(days=1))
    outside = stamp.up(fails=True)
    assert f"account {ACCOUNT} cannot be restored in northeurope as of" in outside
    assert "it can as of" in outside
    restored(datetime.now(UTC).replace(microsecond=0) + timedelta(days=1))
    assert "agents:recovery.as_of is" in stamp.up(fails=True)
    cloud.command("outage begin", region="westeurope")
    restored(as_of)
    assert f"Cosmos DB restores account {ACCOUNT} by way of westeurope" in stamp.up(fails=True)
    cloud.command("outage end", region="westeurope")

    stamp.up()
    assert data.ids(far.ACCOUNT) == {"right"}
    assert data.ids(ACCOUNT) == {"right", "wrong"}
    stamp.unchanged()
    restored(as_of - timedelta(seconds=1))
    assert f"dev-dr has documents as of {written(as_of)}, and" in stamp.up(fails=True)
    assert stack.accounts() == original
    (made,) = stack.cosmos.database_accounts.list_by_resource_group(far.GROUP)
    assert [one.location_name for one in made.locations] == ["northeurope"]
    data.add_document("meanwhile", far.ACCOUNT)

    early = second()
    stack.configure(**WIDE, restores=[{"as_of": written(early), "services": ["cosmos"], "stamp": "dev-dr"}])
    assert "dev-dr has no account for itself that is ready to be fetched" in stack.up(fails=True)
    restored(as_of, phase="returned")
    stamp.up()
    refused = stack.up(fails=True)
    assert f"account {far.ACCOUNT} can be restored to" in refused
    moment = second()
    fetched = {"as_of": written(moment), "services": ["cosmos"], "stamp": "dev-dr"}
    stack.configure(**WIDE, restores=[fetched], republish=written(before))
    stack.up()
    stack.up()  # by now who publishes again reads the copy, and the copy is fit all the same
    copy = f"{ACCOUNT}-{moment:%Y%m%d%H%M%S}"
    assert copy in stack.project.outputs()["endpoint"]
    assert data.ids(copy) == {"right", "meanwhile"}
    stamp.project.pulumi("destroy", "--yes", "--skip-preview")
    stack.project.pulumi("preview", "--refresh", "--expect-no-changes")
    assert [one.name for one in stack.groups.resource_groups.list()] == [GROUP]
