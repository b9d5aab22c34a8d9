"""Delays: kept, replaced, ended, and of whom they are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.database import Database
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Resource
from sandbox.arm.store import SqliteStore
from sandbox.config import SUBSCRIPTION_ID
from sandbox.faults.delays import Delays

GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers"
ACCOUNT = "Microsoft.DocumentDB/databaseAccounts/cosmos-agents-prod"
SERVERS = ("Microsoft.Sql/servers/sql-agents-prod", "Microsoft.Sql/servers/sql-agents-prod-backup")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "delays.json"


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    found, now = SqliteStore(Database(tmp_path / "arm.db")), time.time()
    for name in (ACCOUNT, *SERVERS):
        found.save(Resource(parse_id(f"{GROUP}/{name}"), {"properties": {}}, now, now))
    return found


@pytest.fixture
def delays(place: Path, store: SqliteStore) -> Delays:
    return Delays(place, store)


def given(
    target: str = "replication", service: str = "sql", name: str = "*", seconds: Any = 5
) -> dict[str, Any]:
    return {"target": target, "service": service, "name": name, "seconds": seconds}


def test_without_any_nothing_is_late(delays: Delays) -> None:
    assert delays.replication("cosmos", "cosmos-agents-prod") == 0
    assert delays.backups("sql", "sql-agents-prod") == 0


def test_each_is_of_its_kind_service_and_name(delays: Delays) -> None:
    delays.set(given(seconds=5))
    delays.set(given("backups", name="SQL-agents-prod", seconds=600))
    delays.set(given(service="cosmos", name="cosmos-*", seconds=30))
    assert delays.replication("sql", "anything") == 5
    assert delays.replication("cosmos", "cosmos-agents-prod") == 30
    assert delays.replication("cosmos", "other") == 0
    assert delays.backups("sql", "sql-agents-prod") == 600
    assert delays.backups("sql", "sql-agents-prod-backup") == 0
    assert delays.backups("cosmos", "cosmos-agents-prod") == 0


def test_the_last_one_counts_by_any_name_of_a_pair(delays: Delays) -> None:
    delays.set(given(seconds=5))
    delays.set(given(name="sql-agents-prod-backup", seconds=60))
    assert delays.replication("sql", "sql-agents-prod", "sql-agents-prod-backup") == 60
    assert delays.replication("sql", "sql-agents-prod") == 5
    delays.set(given(seconds=7))
    assert delays.replication("sql", "sql-agents-prod", "sql-agents-prod-backup") == 7
    assert len(delays.all()) == 2, "one of the same name is replaced"


def test_they_outlive_the_process_and_are_ended_by_number_by_name_or_all(
    delays: Delays, place: Path, store: SqliteStore
) -> None:
    delays.set(given(seconds=5))
    delays.set(given("backups", seconds=600))
    delays.set(given(service="cosmos", seconds=30))
    again = Delays(place, store)
    assert [one.stored() for one in again.all()] == [one.stored() for one in delays.all()]
    assert len({one.number for one in (*again.all(), *delays.all())}) == 6
    assert again.clear(again.all()[1].number) == 1
    assert again.set(given(seconds=0)).seconds == 0
    assert [one.service for one in again.all()] == ["cosmos"]
    assert Delays(place, store).clear() == 1
    assert (again.clear(), Delays(place, store).all()) == (1, [])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (given("latency"), "there is no delay of 'latency'; there are those of replication and backups"),
        (given(service="redis"), "the service 'redis' has no such delay; say one of cosmos, sql"),
        (given(seconds=-1), "a delay is from 0 to 3600 seconds, not -1"),
        (given(seconds=3601), "not 3601"),
        (given(seconds=float("nan")), "not nan"),
        (given(seconds="soon"), "a delay is a number of seconds, not 'soon'"),
        (
            given(name="sql-agents-prd"),
            "Microsoft.Sql/servers has no 'sql-agents-prd'; there are sql-agents-prod",
        ),
    ],
    ids=["target", "service", "negative", "long", "nan", "text", "name"],
)
def test_what_makes_no_sense_is_refused(
    delays: Delays, place: Path, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        delays.set(asked)
    assert not place.exists()
