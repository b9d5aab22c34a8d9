"""Long-term retention: which backups a policy asks for, and their life after the database's and server's."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.azure.sql import long_term, long_term_policy
from tests.sandbox.azure.sql.conftest import GROUP, SERVER, Sql
from tests.sandbox.azure.sql.restoring import backed_up, commit, is_there, restore, rows
from tests.waiting import until

TARGET = "sql-target-dev"
DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("policy", "taken", "now", "days"),
    [
        ({}, [], "2026-03-04", None),
        ({"weeklyRetention": "PT0S"}, [], "2026-03-04", None),
        ({"weeklyRetention": "P2W"}, [], "2026-03-04", 14),
        # Sunday and Monday.
        ({"weeklyRetention": "P2W"}, ["2026-03-02"], "2026-03-08", None),
        ({"weeklyRetention": "P2W"}, ["2026-03-08"], "2026-03-09", 14),
        ({"monthlyRetention": "P12M"}, ["2026-03-01"], "2026-03-31", None),
        ({"monthlyRetention": "P12M"}, ["2026-03-31"], "2026-04-01", 360),
        # The longest of what it is for.
        ({"weeklyRetention": "P1W", "monthlyRetention": "P2M"}, ["2026-03-31"], "2026-04-06", 60),
        ({"weeklyRetention": "P1W", "monthlyRetention": "P2M"}, ["2026-04-01"], "2026-04-06", 7),
        ({"yearlyRetention": "P5Y", "weekOfYear": 10}, [], "2026-02-27", None),
        ({"yearlyRetention": "P5Y", "weekOfYear": 10}, ["2026-02-27"], "2026-03-02", 1825),
        ({"yearlyRetention": "P5Y", "weekOfYear": 10}, ["2026-03-02"], "2026-03-03", None),
        ({"yearlyRetention": "P5Y", "weekOfYear": 10}, ["2025-03-04"], "2026-03-03", 1825),
    ],
)
def test_what_a_policy_asks_for(policy: dict[str, Any], taken: list[str], now: str, days: int | None) -> None:
    expected = None if days is None else at(now) + days * DAY
    assert long_term_policy.due(policy, [at(one) for one in taken], at(now)) == expected


def backups(sql: Sql, **query: Any) -> list[Any]:
    found = sql.arm.long_term_retention_backups.list_by_location("westeurope", **query)
    return sorted(found, key=lambda one: str(one.name))


@pytest.fixture(scope="module")
def backup(server: Sql) -> Any:
    """The backup that a new policy had taken, and a row that it does not have."""
    backed_up(server)
    server.make_database("Kept")
    commit(server, "in the backup", "Kept")
    policy = {"properties": {"weeklyRetention": "P5W"}}
    server.arm.long_term_retention_policies.begin_create_or_update(
        GROUP, SERVER, "Kept", "default", policy, polling_interval=0
    ).result()
    until(lambda: backups(server), seconds=60)
    commit(server, "later", "Kept")
    (found,) = backups(server)
    return found


def test_it_is_listed(server: Sql, backup: Any) -> None:
    shown = backup.properties
    assert (shown.server_name, shown.database_name) == (SERVER, "Kept")
    assert abs((shown.backup_expiration_time - shown.backup_time).total_seconds() - 35 * DAY) < 1
    assert shown.backup_time <= datetime.now(UTC)
    ltr = server.arm.long_term_retention_backups
    place = ("westeurope", SERVER, "Kept")
    assert ltr.get(*place, backup.name).as_dict() == backup.as_dict()
    assert ltr.get_by_resource_group(GROUP, *place, backup.name).as_dict() == backup.as_dict()
    assert [one.name for one in ltr.list_by_database(*place)] == [backup.name]
    assert [one.name for one in ltr.list_by_server("westeurope", SERVER)] == [backup.name]
    assert [one.name for one in ltr.list_by_resource_group_database(GROUP, *place)] == [backup.name]
    assert list(ltr.list_by_server("westeurope", "sql-nowhere")) == []
    assert list(ltr.list_by_location("northeurope")) == []
    with pytest.raises(ResourceNotFoundError):
        ltr.get(*place, "nothing")


def test_one_a_week_is_taken(server: Sql, backup: Any) -> None:
    """Looking again takes no other."""
    server.estate.keeper.look()
    server.make_database("AskedMeanwhile")
    assert [one.name for one in backups(server)] == [backup.name]


def test_it_outlives_the_database_and_the_server(server: Sql, backup: Any) -> None:
    server.make_server(TARGET, "northeurope")
    server.let_azure_in(TARGET)
    server.arm.databases.begin_delete(GROUP, SERVER, "Kept", polling_interval=0).result()
    (found,) = backups(server, database_state="Deleted")
    assert found.properties.database_deletion_time > found.properties.backup_time
    assert backups(server, database_state="Live") == []
    server.arm.servers.begin_delete(GROUP, SERVER, polling_interval=0).result()
    made = restore(
        server,
        "FromLongAgo",
        "RestoreLongTermRetentionBackup",
        server=TARGET,
        location="northeurope",
        longTermRetentionBackupResourceId=backup.id,
    )
    assert made.properties.status == "Online"
    assert rows(server, "FromLongAgo", TARGET) == {"in the backup"}


def test_it_goes_when_it_expires_or_is_deleted(
    server: Sql, backup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(long_term.time, "time", lambda: genuine + 36 * DAY)
        assert long_term.kept(server.services) == []
    assert len(long_term.kept(server.services)) == 1
    ltr = server.arm.long_term_retention_backups
    ltr.begin_delete("westeurope", SERVER, "Kept", backup.name, polling_interval=0).result()
    assert backups(server) == []
    with pytest.raises(HttpResponseError, match="LongTermRetentionBackupNotFound"):
        restore(
            server,
            "Refused",
            "RestoreLongTermRetentionBackup",
            server=TARGET,
            location="northeurope",
            longTermRetentionBackupResourceId=backup.id,
        )
    assert not is_there(server, "Refused", TARGET)
