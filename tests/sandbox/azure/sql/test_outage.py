"""The primary's region is lost: its server is silent, the group is taken over by force, and joins again."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.sql.conftest import DATABASE, GROUP, SERVER, Sql
from tests.sandbox.azure.sql.test_failover_groups import BACKUP, FAILOVER, add, body, make, role, sentinels
from tests.waiting import until


@pytest.fixture(scope="module")
def pair(server: Sql) -> Sql:
    """A server in West Europe with one row, and its group with a server in North Europe."""
    server.make_server(BACKUP, "northeurope")
    server.let_azure_in(BACKUP)
    with server.log_in() as connection:
        connection.execute("CREATE TABLE sentinels (n int)")
        connection.execute("INSERT INTO sentinels VALUES (1)")
    make(server, body(DATABASE))
    until(lambda: sentinels(server, BACKUP) == [1])
    return server


def silent(sql: Sql, host: str) -> bool:
    """Whether a login gets no answer; a refusal is one (it has a severity)."""
    try:
        sql.log_in(host=host, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if "FATAL" in str(error):
            raise
        return True
    return False


def comes_to_have(sql: Sql, host: str, rows: list[int]) -> None:
    """It may refuse logins as long as it is being brought back."""

    def has() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return sentinels(sql, host) == rows
        return False

    until(has)


def test_a_lost_primary_is_taken_over_and_comes_back_as_the_secondary(pair: Sql) -> None:
    open_before = pair.log_in()
    pair.cloud.command("sql lag", server=BACKUP, seconds=600)
    add(pair, 2)
    pair.cloud.command("outage begin", region="westeurope")
    with pytest.raises(psycopg.OperationalError):
        open_before.execute("SELECT 1")
    assert silent(pair, SERVER)
    assert silent(pair, FAILOVER)
    # The replica is read from, has what had arrived, and is no primary.
    assert sentinels(pair, BACKUP) == [1]
    assert sentinels(pair, f"{FAILOVER}.secondary") == [1]
    groups = pair.arm.failover_groups
    with pytest.raises(HttpResponseError, match="temporarily unavailable in the region 'westeurope'"):
        groups.get(GROUP, SERVER, FAILOVER)
    shown: Any = groups.get(GROUP, BACKUP, FAILOVER).properties
    assert (shown.replication_role, shown.replication_state) == ("Secondary", "SUSPENDED")
    with pytest.raises(HttpResponseError, match="its region is down"):
        groups.begin_failover(GROUP, BACKUP, FAILOVER, polling_interval=0).result()

    started = time.monotonic()
    groups.begin_force_failover_allow_data_loss(GROUP, BACKUP, FAILOVER, polling_interval=0).result()
    assert time.monotonic() - started < 30, "it waits for nothing in the lost region"
    assert role(pair, BACKUP) == "Primary"
    assert sentinels(pair, FAILOVER) == [1], "what was on its way is lost"
    add(pair, 3)
    assert silent(pair, SERVER)

    pair.cloud.command("outage end", region="westeurope")
    comes_to_have(pair, SERVER, [1, 3])
    assert role(pair, SERVER) == "Secondary"
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        add(pair, 9, SERVER)
    # And back again, by plan, with nothing lost.
    groups.begin_failover(GROUP, SERVER, FAILOVER, polling_interval=0).result()
    assert (role(pair, SERVER), sentinels(pair, FAILOVER)) == ("Primary", [1, 3])


def test_a_primary_that_nobody_took_over_goes_on_where_it_was(pair: Sql) -> None:
    pair.cloud.command("outage begin", region="westeurope")
    assert silent(pair, FAILOVER)
    pair.cloud.command("outage end", region="westeurope")
    comes_to_have(pair, FAILOVER, [1, 3])
    add(pair, 4)
    until(lambda: sentinels(pair, BACKUP) == [1, 3, 4])


def test_a_lost_replica_catches_up(pair: Sql) -> None:
    pair.cloud.command("outage begin", region="northeurope")
    assert silent(pair, BACKUP)
    add(pair, 5)
    pair.cloud.command("outage end", region="northeurope")
    comes_to_have(pair, BACKUP, [1, 3, 4, 5])


def test_only_a_replica_that_follows_can_be_kept_behind(pair: Sql) -> None:
    for server in (SERVER, "sql-nowhere"):
        with pytest.raises(ValueError, match="is no replica that follows a primary now"):
            pair.cloud.command("sql lag", server=server, seconds=1)
    with pytest.raises(ValueError, match="a lag is from 0 to 3600 seconds, not -1"):
        pair.cloud.command("sql lag", server=BACKUP, seconds=-1)
