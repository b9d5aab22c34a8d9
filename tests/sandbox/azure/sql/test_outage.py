"""The primary's region is lost: its server is silent, the group is taken over by force, and joins again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.azure.sql.failover_groups import FailoverGroupHandler
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
    pair.delay("replication", 600, SERVER)
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

    pair.cloud.command("fault clear")
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


def test_what_keeps_a_replica_behind_outlives_its_link(pair: Sql) -> None:
    """An outage of the replica, and a restart of what serves Azure: it follows again, as late as before."""
    pair.delay("replication", 600)
    pair.cloud.command("outage begin", region="northeurope")
    pair.cloud.command("outage end", region="northeurope")
    follows(pair)
    add(pair, 6)
    on_loop(pair, pair.estate.links.close())
    group = pair.resource(f"{SERVER}/failoverGroups/{FAILOVER}")
    assert group is not None
    on_loop(pair, FailoverGroupHandler(pair.services).resume(group))
    follows(pair)
    add(pair, 7)
    assert sentinels(pair, BACKUP) == [1, 3, 4, 5]
    groups = pair.arm.failover_groups
    groups.begin_force_failover_allow_data_loss(GROUP, BACKUP, FAILOVER, polling_interval=0).result()
    assert sentinels(pair, FAILOVER) == [1, 3, 4, 5]
    pair.cloud.command("fault clear")


def on_loop(sql: Sql, work: Coroutine[Any, Any, Any]) -> None:
    asyncio.run_coroutine_threadsafe(work, sql.cloud.loop).result(60)


def follows(sql: Sql) -> None:
    def streams() -> bool:
        shown: Any = sql.arm.failover_groups.get(GROUP, SERVER, FAILOVER)
        return bool(shown.properties.replication_state == "CATCH_UP")

    until(streams)
