"""Databases that were deleted: listed with the times that they can be restored to, and restored."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.sandbox.azure.sql.conftest import GROUP, SERVER, Sql
from tests.sandbox.azure.sql.restoring import (
    backed_up,
    commit,
    database_id,
    is_there,
    restore,
    rows,
    server_id,
)

NAME = "Dropped, with a comma"


@pytest.fixture(scope="module")
def moment(server: Sql) -> datetime:
    """Between the two rows of a database that was dropped right after the second."""
    backed_up(server)
    server.make_database(NAME)
    between = commit(server, "one", NAME)
    commit(server, "two", NAME)
    drop(server, NAME)
    return between


def drop(sql: Sql, name: str) -> None:
    sql.arm.databases.begin_delete(GROUP, SERVER, name, polling_interval=0).result()


def listed(sql: Sql) -> list[Any]:
    found = sql.arm.restorable_dropped_databases.list_by_server(GROUP, SERVER)
    return [one for one in found if one.properties and one.properties.database_name == NAME]


def test_it_is_listed(server: Sql, moment: datetime) -> None:
    (found,) = listed(server)
    assert found.properties.creation_date < moment < found.properties.deletion_date <= datetime.now(UTC)
    assert found.properties.earliest_restore_date < moment
    assert found.properties.backup_storage_redundancy == "Geo"
    assert (found.location, found.sku.name) == ("westeurope", "GP_Gen5")
    assert found.name.rpartition(",")[0] == NAME
    again = server.arm.restorable_dropped_databases.get(GROUP, SERVER, found.name)
    assert again.as_dict() == found.as_dict()
    with pytest.raises(ResourceNotFoundError):
        server.arm.restorable_dropped_databases.get(GROUP, SERVER, f"{NAME},1")
    assert not is_there(server, NAME)


def test_all_that_was_committed_comes_back(server: Sql, moment: datetime) -> None:
    (found,) = listed(server)
    restore(server, "ByDroppedId", "Restore", restorableDroppedDatabaseId=found.id)
    assert rows(server, "ByDroppedId") == {"one", "two"}
    restore(server, "Earlier", "Restore", sourceDatabaseId=found.id, restorePointInTime=moment.isoformat())
    assert rows(server, "Earlier") == {"one"}


def test_under_its_own_name_again(server: Sql, moment: datetime) -> None:
    (found,) = listed(server)
    date = found.properties.deletion_date
    server.make_database(NAME)
    commit(server, "of the new one", NAME)
    with pytest.raises(HttpResponseError, match="DatabaseAlreadyExists"):
        restore(
            server,
            NAME,
            "Restore",
            sourceDatabaseId=database_id(NAME),
            sourceDatabaseDeletionDate=date.isoformat(),
        )
    drop(server, NAME)
    # Two of one name are told apart by their deletion.
    assert len(listed(server)) == 2
    restore(
        server,
        NAME,
        "Restore",
        sourceDatabaseId=database_id(NAME),
        sourceDatabaseDeletionDate=date.isoformat(timespec="milliseconds"),
    )
    assert rows(server, NAME) == {"one", "two"}
    assert moment < date


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "MissingSourceDatabaseId"),
        ({"sourceDatabaseId": database_id("Never")}, "InvalidParameterValue"),
        (
            {"sourceDatabaseId": database_id("Never"), "sourceDatabaseDeletionDate": "2025-01-01T00:00:00Z"},
            "RestorableDroppedDatabaseNotFound",
        ),
        (
            {"restorableDroppedDatabaseId": f"{server_id()}/restorableDroppedDatabases/Never,1"},
            "RestorableDroppedDatabaseNotFound",
        ),
    ],
)
def test_what_was_not_dropped_is_refused(server: Sql, given: dict[str, Any], code: str) -> None:
    with pytest.raises(HttpResponseError, match=code):
        restore(server, "Refused", "Restore", **given)
    assert not is_there(server, "Refused")


def test_not_after_its_deletion(server: Sql, moment: datetime) -> None:
    found = min(listed(server), key=lambda one: one.properties.deletion_date)
    after = found.properties.deletion_date + timedelta(milliseconds=1)
    assert after > moment
    with pytest.raises(HttpResponseError, match="InvalidRestorePointInTime"):
        restore(
            server,
            "Refused",
            "Restore",
            restorableDroppedDatabaseId=found.id,
            restorePointInTime=after.isoformat(),
        )


def test_who_writes_until_the_end_loses_nothing_that_was_acknowledged(server: Sql) -> None:
    """The deletion ends a session that commits row after row: each of them is in the restored database."""
    server.make_database("Busy")
    commit(server, "0", "Busy")
    with server.log_in(database="Busy") as connection:
        begun = server.arm.databases.begin_delete(GROUP, SERVER, "Busy", polling_interval=0)
        acknowledged = 0
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                connection.execute("INSERT INTO sentinels VALUES (%s)", (str(acknowledged + 1),))
                acknowledged += 1
        begun.result()
    found = [
        one
        for one in server.arm.restorable_dropped_databases.list_by_server(GROUP, SERVER)
        if one.properties and one.properties.database_name == "Busy"
    ]
    restore(server, "Busy", "Restore", restorableDroppedDatabaseId=found[0].id)
    expected = {str(number) for number in range(acknowledged + 1)}
    # One more may have been committed without the client hearing of it.
    assert rows(server, "Busy") - {str(acknowledged + 1)} == expected


def test_a_deleted_server_takes_its_backups_along(server: Sql) -> None:
    server.make_server("sql-gone-dev")
    server.let_azure_in("sql-gone-dev")
    backed_up(server, "sql-gone-dev")
    server.make_database("Gone", "sql-gone-dev")
    server.arm.databases.begin_delete(GROUP, "sql-gone-dev", "Gone", polling_interval=0).result()
    (found,) = server.arm.restorable_dropped_databases.list_by_server(GROUP, "sql-gone-dev")
    server.arm.servers.begin_delete(GROUP, "sql-gone-dev", polling_interval=0).result()
    with pytest.raises(HttpResponseError, match="RestorableDroppedDatabaseNotFound"):
        restore(server, "Refused", "Restore", restorableDroppedDatabaseId=found.id)
    with pytest.raises(ResourceNotFoundError):
        list(server.arm.restorable_dropped_databases.list_by_server(GROUP, "sql-gone-dev"))
    server.make_server("sql-gone-dev")
    assert list(server.arm.restorable_dropped_databases.list_by_server(GROUP, "sql-gone-dev")) == []
