"""A database as it was at a moment, beside the one that it was: rows, users, and what does not come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.azure.sql import backups, programs
from tests.sandbox.azure.sql.conftest import DATABASE, GROUP, SERVER, Sql
from tests.sandbox.azure.sql.restoring import (
    backed_up,
    commit,
    database_id,
    in_cluster,
    is_there,
    now,
    rows,
    to_moment,
)
from tests.waiting import until

OTHER, FAR = "sql-beside-dev", "sql-far-dev"
AGENT, OTHER_ADMINISTRATOR = "id-agent", "id-other-administrator"


@pytest.fixture(scope="module")
def source(server: Sql) -> Sql:
    """The module's server with a first backup, and a database that has a row since."""
    backed_up(server)
    commit(server, "first")
    return server


def test_between_two_commits(source: Sql) -> None:
    commit(source, "before")
    moment = now(source)
    commit(source, "after")
    made = to_moment(source, "Between", moment)
    assert made.properties.status == "Online"
    assert made.properties.create_mode is None
    assert made.properties.earliest_restore_date is None or made.properties.earliest_restore_date > moment
    assert rows(source, "Between") == {"first", "before"}
    assert {"first", "before", "after"} <= rows(source, DATABASE)


def test_a_moment_ago(source: Sql) -> None:
    """Nothing was committed since, and the log of the last seconds was not archived yet."""
    commit(source, "just now")
    to_moment(source, "JustNow", now(source))
    assert "just now" in rows(source, "JustNow")


def test_what_is_not_backed_up_yet_cannot_be_restored(source: Sql) -> None:
    """The refusal says up to when it can; a copy needs no backup."""
    wanted = now(source)
    source.delay("backups", 2.0, SERVER)
    with pytest.raises(HttpResponseError, match="is not valid: it must be from") as refused:
        to_moment(source, "TooNew", now(source))
    end = datetime.fromisoformat(str(refused.value.message).split(" to ")[1].split("Z")[0] + "+00:00")
    assert abs((now(source) - end).total_seconds() - 2.0) < 1.5
    until(lambda: (now(source) - wanted).total_seconds() > 2.5)
    to_moment(source, "OldEnough", wanted)
    assert "first" in rows(source, "OldEnough")
    source.delay("backups", 600, SERVER)
    with pytest.raises(HttpResponseError, match="No backup of the database 'AgentsDB' has been taken yet"):
        to_moment(source, "TooNew", wanted)
    source.cloud.command("fault clear")
    assert not is_there(source, "TooNew")


def test_what_was_deleted_is_there_again(source: Sql) -> None:
    commit(source, "kept")
    moment = now(source)
    with source.log_in() as connection:
        connection.execute("DELETE FROM sentinels WHERE name = 'kept'")
        connection.execute("CREATE TABLE newer (n int)")
    to_moment(source, "Undeleted", moment)
    assert "kept" in rows(source, "Undeleted")
    with source.log_in(database="Undeleted") as connection:
        assert connection.execute("SELECT to_regclass('newer')").fetchone() == (None,)


def test_a_second_restore_and_one_of_a_restored_database(source: Sql) -> None:
    moment = now(source)
    to_moment(source, "Once", moment)
    to_moment(source, "Twice", moment)
    assert rows(source, "Once") == rows(source, "Twice")
    commit(source, "in the copy", "Once")
    to_moment(source, "OfOnce", now(source), source="Once")
    assert rows(source, "OfOnce") == {*rows(source, "Twice"), "in the copy"}


def test_users_come_and_settings_do_not(source: Sql) -> None:
    token = source.token(source.principal(AGENT))
    with source.log_in() as connection:
        connection.execute(f'CREATE ROLE "{AGENT}" LOGIN')
        connection.execute("CREATE ROLE readers")
        connection.execute(f'GRANT readers TO "{AGENT}"')
        connection.execute("GRANT SELECT ON sentinels TO readers")
    short: Any = source.arm.backup_short_term_retention_policies
    body = {"properties": {"retentionDays": 14}}
    short.begin_create_or_update(GROUP, SERVER, DATABASE, "default", body, polling_interval=0).result()
    source.arm.databases.begin_update(
        GROUP, SERVER, DATABASE, {"tags": {"team": "agents"}}, polling_interval=0
    ).result()
    moment = now(source)
    with source.log_in() as connection:
        connection.execute("REVOKE SELECT ON sentinels FROM readers")
    administrator = source.principal(OTHER_ADMINISTRATOR)
    administrators = source.administrators()["administrators"]
    administrators |= {"login": OTHER_ADMINISTRATOR, "sid": administrator}
    source.make_server(OTHER, administrators=administrators)
    source.let_azure_in(OTHER)
    made = to_moment(source, "WithUsers", moment, server=OTHER)
    assert not made.tags
    assert short.get(GROUP, OTHER, "WithUsers", "default").properties.retention_days == 7
    with source.log_in(AGENT, token, host=OTHER, database="WithUsers") as connection:
        assert connection.execute("SELECT count(*) > 0 FROM sentinels").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM sentinels")
    # The administrator of the target owns what the source's did.
    password = source.token(administrator)
    with source.log_in(OTHER_ADMINISTRATOR, password, host=OTHER, database="WithUsers") as connection:
        connection.execute("ALTER TABLE sentinels ADD COLUMN note text")
    # The source's is nobody there.
    with pytest.raises(psycopg.OperationalError, match="Login failed"):
        source.log_in(host=OTHER, database="WithUsers")


def test_the_size_is_the_sources_unless_another_is_asked_for(source: Sql) -> None:
    source.make_database("Sized", sku={"name": "S1"}, properties={"requestedBackupStorageRedundancy": "Zone"})
    commit(source, "sized", "Sized")
    moment = now(source)
    made = to_moment(source, "SizedAgain", moment, source="Sized")
    assert made.properties.current_service_objective_name == "S1"
    assert made.properties.current_backup_storage_redundancy == "Zone"
    bigger = to_moment(source, "Bigger", moment, source="Sized", body={"sku": {"name": "GP_Gen5_2"}})
    assert bigger.properties.current_service_objective_name == "GP_Gen5_2"
    with pytest.raises(HttpResponseError, match="cannot be restored to 'Hyperscale'"):
        to_moment(source, "Huge", moment, source="Sized", body={"sku": {"name": "HS_Gen5_2"}})
    with pytest.raises(HttpResponseError, match="at most"):
        to_moment(source, "Tiny", moment, source="Sized", body={"sku": {"name": "Basic"}})
    assert not is_there(source, "Huge")


@pytest.mark.parametrize(
    ("point", "message"),
    [
        (timedelta(minutes=5), "it must be from .* to"),
        (timedelta(days=-8), "it must be from .* to"),
        ("2025-11-31T10:00:00Z", "2025-11-31T10:00:00Z"),
        ("yesterday", "yesterday"),
        (None, "point in time was not specified"),
    ],
)
def test_a_moment_outside_the_window_is_refused(
    source: Sql, point: timedelta | str | None, message: str
) -> None:
    if isinstance(point, timedelta):
        point = (datetime.now(UTC) + point).isoformat()
    with pytest.raises(HttpResponseError, match=message):
        source.make_database(
            "Refused",
            properties={
                "createMode": "PointInTimeRestore",
                "sourceDatabaseId": database_id(),
                "restorePointInTime": point,
            },
        )
    assert not is_there(source, "Refused")


def test_the_window_begins_where_it_is_said_to(source: Sql) -> None:
    shown: Any = source.arm.databases.get(GROUP, SERVER, DATABASE).properties
    earliest = shown.earliest_restore_date
    with pytest.raises(HttpResponseError, match="InvalidRestorePointInTime"):
        to_moment(source, "TooEarly", earliest - timedelta(milliseconds=1))
    made = to_moment(source, "Earliest", earliest)
    assert made.properties.status == "Online"


@pytest.mark.parametrize(
    ("source_id", "code"),
    [
        (database_id("Nothing"), "SourceDatabaseNotFound"),
        (database_id(server="sql-nowhere"), "SourceDatabaseNotFound"),
        (database_id("master"), "SourceDatabaseNotFound"),
        (database_id().rpartition("/databases/")[0], "SourceDatabaseNotFound"),
        ("AgentsDB", "InvalidSourceDatabaseId"),
        (None, "MissingSourceDatabaseId"),
        (f"/subscriptions/{'0' * 8}{database_id()[23:]}", "MismatchingSubscriptionWithUrl"),
    ],
)
def test_what_is_no_source_is_refused(source: Sql, source_id: str | None, code: str) -> None:
    with pytest.raises(HttpResponseError, match=code):
        to_moment(source, "Refused", now(source), source_id=source_id)
    assert not is_there(source, "Refused")


def test_a_source_of_data_warehouses_is_refused(source: Sql) -> None:
    with pytest.raises(HttpResponseError, match="is for data warehouses"):
        to_moment(source, "Refused", now(source), sourceResourceId=database_id())


def test_it_stays_in_its_region(source: Sql) -> None:
    source.make_server(FAR, "northeurope")
    with pytest.raises(HttpResponseError, match="InvalidSourceDatabaseRegion"):
        to_moment(source, "Away", now(source), server=FAR, location="northeurope")


def test_the_source_is_not_replaced_and_the_same_request_again_changes_nothing(source: Sql) -> None:
    moment = now(source)
    to_moment(source, "Same", moment)
    commit(source, "written since", "Same")
    first: Any = source.arm.databases.get(GROUP, SERVER, "Same").properties
    again = to_moment(source, "Same", moment, body={"tags": {"a": "b"}})
    assert again.tags == {"a": "b"}
    assert again.properties.database_id == first.database_id
    assert "written since" in rows(source, "Same")
    for name in (DATABASE, "Same"):
        with pytest.raises(HttpResponseError, match="DatabaseAlreadyExists"):
            to_moment(source, name, moment - timedelta(microseconds=1))
    # A later update says nothing of it, and keeps the data.
    source.make_database("Same")
    assert "written since" in rows(source, "Same")


def test_a_restore_that_fails_leaves_nothing_and_can_be_asked_for_again(
    source: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now(source)
    with monkeypatch.context() as patch:
        genuine = programs.program
        patch.setattr(
            programs, "program", lambda name: "/bin/false" if name == "pg_restore" else genuine(name)
        )
        with pytest.raises(HttpResponseError, match="false failed"):
            to_moment(source, "Mended", moment)
    shown: Any = source.arm.databases.get(GROUP, SERVER, "Mended").properties
    assert shown.status == "RecoveryPending"
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        source.log_in(database="Mended")
    assert not [name for name in in_cluster(source) if name.startswith("azure_restore")]
    assert not list(source.instance().folder.glob("restore.*"))
    to_moment(source, "Mended", moment)
    assert "first" in rows(source, "Mended")
    source.arm.databases.begin_delete(GROUP, SERVER, "Mended", polling_interval=0).result()
    with pytest.raises(ResourceNotFoundError):
        source.arm.databases.get(GROUP, SERVER, "Mended")


def test_one_that_is_deleted_meanwhile_leaves_nothing(source: Sql) -> None:
    asked = {
        "createMode": "PointInTimeRestore",
        "sourceDatabaseId": database_id(),
        "restorePointInTime": now(source).isoformat(),
    }
    body: Any = {"location": "westeurope", "properties": asked}
    source.arm.databases.begin_create_or_update(GROUP, SERVER, "Unwanted", body, polling=False)
    folder = source.instance().folder
    until(lambda: list(folder.glob("restore.*/cluster/data/postmaster.pid")))
    shown: Any = source.arm.databases.get(GROUP, SERVER, "Unwanted").properties
    assert shown.status == "Restoring"
    source.arm.databases.begin_delete(GROUP, SERVER, "Unwanted", polling_interval=0).result()
    assert not is_there(source, "Unwanted")
    assert not list(folder.glob("restore.*"))
    assert not [name for name in in_cluster(source) if name.startswith(("azure_restore", "Unwanted"))]
    dropped = source.arm.restorable_dropped_databases.list_by_server(GROUP, SERVER)
    assert "Unwanted" not in [one.properties.database_name for one in dropped if one.properties]


def test_nobody_is_let_in_before_it_is_whole(source: Sql) -> None:
    with pytest.raises(psycopg.OperationalError, match="Cannot open database"):
        source.log_in(database="azure_restore_0123")


def test_a_copy_is_as_the_source_is_now(source: Sql) -> None:
    commit(source, "copied")
    made = source.make_database(
        "Copied", properties={"createMode": "Copy", "sourceDatabaseId": database_id()}
    )
    assert made.properties.status == "Online"
    assert rows(source, "Copied") == rows(source, DATABASE)


def test_backups_survive_it(source: Sql) -> None:
    """A restore reads; another moment can be restored to afterwards, and nothing is left of it."""
    known = backups.taken(source.instance().backups)
    to_moment(source, "Last", now(source))
    assert backups.taken(source.instance().backups) == known
    until(lambda: not list(source.instance().folder.glob("restore.*")))
    assert not list(source.instance().socket.glob("restore.*"))
