"""Databases of a server whose region is gone, restored in another from what was archived by then."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.azure.sql import archive
from tests.sandbox.azure.sql.conftest import DATABASE, GROUP, SERVER, Sql
from tests.sandbox.azure.sql.restoring import (
    backed_up,
    commit,
    database_id,
    is_there,
    now,
    restore,
    rows,
    server_id,
)

FAR = "sql-far-dev"
LOCAL = "OnlyLocal"


@pytest.fixture(scope="module")
def ended(server: Sql) -> tuple[Sql, float]:
    """A server in another region, and the first one ended after a row that its archive does not have; when
    the first of its rows was there, and no other."""
    backed_up(server)
    commit(server, "first")
    between = now(server).timestamp()
    server.make_database(LOCAL, properties={"requestedBackupStorageRedundancy": "Local"})
    server.make_server(FAR, "northeurope")
    server.let_azure_in(FAR)
    commit(server, "archived")
    asyncio.run(archive.complete(server.instance()))
    commit(server, "lost with the region")
    server.supervisor.running[server.instance().program].kill()
    return server, between


@pytest.fixture
def lost(ended: tuple[Sql, float]) -> Sql:
    return ended[0]


def recoverable(name: str = DATABASE) -> str:
    return f"{server_id(SERVER)}/recoverableDatabases/{name}"


def recover(sql: Sql, name: str, **given: Any) -> Any:
    return restore(sql, name, "Recovery", server=FAR, location="northeurope", **given)


def test_it_is_listed_with_its_last_backup(lost: Sql) -> None:
    (found,) = lost.arm.recoverable_databases.list_by_server(GROUP, SERVER)
    assert found.name == DATABASE
    assert found.properties is not None
    newest = archive.newest(lost.instance().archive)
    assert newest is not None
    assert found.properties.last_available_backup_date is not None
    assert found.properties.last_available_backup_date.timestamp() == pytest.approx(newest, abs=1e-3)
    assert (found.properties.edition, found.properties.service_level_objective) == (
        "GeneralPurpose",
        "GP_Gen5_2",
    )
    again = lost.arm.recoverable_databases.get(GROUP, SERVER, DATABASE)
    assert again.as_dict() == found.as_dict()
    for name in (LOCAL, "master", "Nothing"):
        with pytest.raises(ResourceNotFoundError):
            lost.arm.recoverable_databases.get(GROUP, SERVER, name)


@pytest.mark.parametrize("key", ["sourceDatabaseId", "recoverableDatabaseId"])
def test_what_was_archived_is_restored_elsewhere(lost: Sql, key: str) -> None:
    made = recover(lost, f"By-{key}", **{key: recoverable()})
    assert (made.location, made.properties.status) == ("northeurope", "Online")
    assert rows(lost, f"By-{key}", FAR) == {"first", "archived"}


def test_what_was_not_backed_up_yet_is_lost(ended: tuple[Sql, float]) -> None:
    """Backups are copied to the other region late: what was archived since is not there."""
    sql, between = ended
    sql.delay("backups", time.time() - between, SERVER)
    shown = sql.arm.recoverable_databases.get(GROUP, SERVER, DATABASE).properties
    assert shown is not None
    assert shown.last_available_backup_date is not None
    assert shown.last_available_backup_date.timestamp() == pytest.approx(between, abs=5)
    recover(sql, "Late", sourceDatabaseId=recoverable())
    assert rows(sql, "Late", FAR) == {"first"}
    # There is no backup that is older than the server.
    sql.delay("backups", 3600, SERVER)
    with pytest.raises(HttpResponseError, match=f"No backup of the database '{DATABASE}' has been taken yet"):
        recover(sql, "TooLate", sourceDatabaseId=recoverable())
    sql.cloud.command("fault clear")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "MissingSourceDatabaseId"),
        ({"sourceDatabaseId": recoverable("Nothing")}, "RecoverableDatabaseNotFound"),
        ({"sourceDatabaseId": database_id()}, "RecoverableDatabaseNotFound"),
        ({"sourceDatabaseId": recoverable(LOCAL)}, "its backup storage redundancy is 'Local'"),
    ],
)
def test_what_cannot_be_recovered_is_refused(lost: Sql, given: dict[str, Any], message: str) -> None:
    with pytest.raises(HttpResponseError, match=message):
        recover(lost, "Refused", **given)
    assert not is_there(lost, "Refused", FAR)
