"""A server's copy in another region: there, behind, taken over by plan and by force."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.azure.sql import backups, replication
from tests.sandbox.azure.sql.conftest import ADMINISTRATOR, DATABASE, GROUP, SERVER, Sql, group_id
from tests.sandbox.azure.sql.restoring import now, to_moment
from tests.waiting import until

BACKUP = "sql-agents-dev-backup"
FAILOVER = "fog-agents-dev"
AGENT = "id-agent"
#: Seconds that the replica is behind, and can be waited for.
LAG = 2.0


def server_id(name: str) -> str:
    return f"{group_id(GROUP)}/providers/Microsoft.Sql/servers/{name}"


def body(*databases: str, partner: str = BACKUP, **endpoint: Any) -> dict[str, Any]:
    return {
        "properties": {
            "partnerServers": [{"id": server_id(partner)}],
            "readWriteEndpoint": {"failoverPolicy": "Manual", **endpoint},
            "databases": [f"{server_id(SERVER)}/databases/{name}" for name in databases],
        }
    }


def make(sql: Sql, content: dict[str, Any], server: str = SERVER, name: str = FAILOVER) -> Any:
    groups = sql.arm.failover_groups
    return groups.begin_create_or_update(GROUP, server, name, content, polling_interval=0).result()


@pytest.fixture(scope="module")
def pair(server: Sql) -> Sql:
    """The module's server with one row, and its group with a server in another region."""
    server.make_server(BACKUP, "northeurope")
    server.let_azure_in(BACKUP)
    with server.log_in() as connection:
        connection.execute("CREATE TABLE sentinels (n int)")
        connection.execute("INSERT INTO sentinels VALUES (1)")
    made = make(server, body(DATABASE))
    assert (made.properties.replication_role, made.properties.replication_state) == ("Primary", "CATCH_UP")
    return server


def sentinels(sql: Sql, host: str, **options: Any) -> list[int]:
    with sql.log_in(host=host, **options) as connection:
        return sorted(n for (n,) in connection.execute("SELECT n FROM sentinels"))


def add(sql: Sql, number: int, host: str = FAILOVER) -> None:
    with sql.log_in(host=host) as connection:
        connection.execute("INSERT INTO sentinels VALUES (%s)", (number,))


def role(sql: Sql, server: str) -> str:
    found: Any = sql.arm.failover_groups.get(GROUP, server, FAILOVER)
    return str(found.properties.replication_role.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body(partner=SERVER), "must be in another region"),
        (body(partner="sql-nowhere"), "was not found"),
        (body("Nothing"), "is no database of the server"),
        (body("master"), "is no database of the server"),
        (body(failoverWithDataLossGracePeriodMinutes=60), "is for automatic failover"),
        (body(failoverPolicy="Automatic"), "needs a grace period"),
    ],
)
def test_what_fits_no_group_is_refused(pair: Sql, content: dict[str, Any], message: str) -> None:
    with pytest.raises(HttpResponseError, match=message):
        make(pair, content)


def test_it_is_shown_at_both_servers(pair: Sql) -> None:
    one: Any = pair.arm.failover_groups.get(GROUP, SERVER, FAILOVER).properties
    two: Any = pair.arm.failover_groups.get(GROUP, BACKUP, FAILOVER).properties
    assert (one.replication_role, two.replication_role) == ("Primary", "Secondary")
    assert [(p.id, p.location, p.replication_role) for p in two.partner_servers] == [
        (server_id(SERVER), "westeurope", "Primary")
    ]
    copy: Any = pair.arm.databases.get(GROUP, BACKUP, DATABASE)
    assert (copy.location, copy.properties.status) == ("northeurope", "Online")
    assert copy.properties.failover_group_id == f"{server_id(BACKUP)}/failoverGroups/{FAILOVER}"


def test_the_listeners_lead_to_the_primary_and_the_replica(pair: Sql) -> None:
    assert sentinels(pair, FAILOVER) == [1]
    until(lambda: sentinels(pair, f"{FAILOVER}.secondary") == [1])
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        add(pair, 0, f"{FAILOVER}.secondary")
    with pair.log_in(host=BACKUP) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_users_of_the_primary_are_users_of_the_replica(pair: Sql) -> None:
    token = pair.token(pair.principal(AGENT))
    with pair.log_in() as connection:
        connection.execute(f'CREATE ROLE "{AGENT}" LOGIN')
        connection.execute(f'GRANT SELECT ON sentinels TO "{AGENT}"')

    def comes_in() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return sentinels(pair, BACKUP, user=AGENT, token=token) == [1]
        return False

    until(comes_in)


def test_databases_are_made_at_the_primary_only(pair: Sql) -> None:
    with pytest.raises(HttpResponseError, match="is the secondary of a failover group"):
        pair.make_database("Own", BACKUP, location="northeurope")
    with pytest.raises(HttpResponseError, match="belongs to the failover group"):
        pair.arm.databases.begin_delete(GROUP, SERVER, DATABASE).result()


def test_the_group_is_changed_at_the_primary_only(pair: Sql) -> None:
    with pytest.raises(
        HttpResponseError, match=r"not allowed on a secondary server.*'sql-agents-dev'"
    ) as refused:
        make(pair, body(DATABASE), BACKUP)
    assert refused.value.error is not None
    assert refused.value.error.code == "FailoverGroupUpdateOrDeleteRequestOnSecondary"
    with pytest.raises(HttpResponseError, match="not allowed on a secondary server"):
        pair.arm.failover_groups.begin_delete(GROUP, BACKUP, FAILOVER, polling_interval=0).result()


def declared(sql: Sql) -> list[Any]:
    """What a program declares at the first server, as Azure shows it: no failover changes it, so that nobody
    who reads it again finds a difference."""
    group: Any = sql.arm.failover_groups.get(GROUP, SERVER, FAILOVER).as_dict()
    settable = ("readWriteEndpoint", "readOnlyEndpoint", "databases")
    partners = [one["id"] for one in group["properties"]["partnerServers"]]
    database: Any = sql.arm.databases.get(GROUP, SERVER, DATABASE).as_dict()
    return [group.get("tags"), partners, *(group["properties"].get(name) for name in settable), database]


def test_a_planned_failover_loses_nothing_and_goes_back(pair: Sql) -> None:
    groups, before = pair.arm.failover_groups, declared(pair)
    for number, target in ((2, BACKUP), (3, SERVER)):
        add(pair, number)
        groups.begin_failover(GROUP, target, FAILOVER, polling_interval=0).result()
        assert declared(pair) == before
        other = SERVER if target == BACKUP else BACKUP
        assert (role(pair, target), role(pair, other)) == ("Primary", "Secondary")
        assert sentinels(pair, FAILOVER) == list(range(1, number + 1))
        with pair.log_in(host=FAILOVER) as connection:
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    add(pair, 4)
    until(lambda: sentinels(pair, BACKUP) == [1, 2, 3, 4])
    with pytest.raises(HttpResponseError, match="is the primary already"):
        groups.begin_failover(GROUP, SERVER, FAILOVER, polling_interval=0).result()


def test_a_primary_that_came_back_can_be_restored(pair: Sql) -> None:
    """The log that the other server wrote meanwhile is not in its archive: it needs a backup since."""
    primary = pair.instance()

    def is_backed_up() -> bool:
        newest = backups.taken(primary.backups)[-1]
        return asyncio.run(backups.is_followed(primary, newest))

    until(is_backed_up)
    to_moment(pair, "Returned", now(pair))
    assert sentinels(pair, SERVER, database="Returned") == [1, 2, 3, 4]
    with pytest.raises(HttpResponseError, match="is the secondary of a failover group"):
        to_moment(pair, "AtSecondary", now(pair), server=BACKUP, location="northeurope")
    pair.arm.databases.begin_delete(GROUP, SERVER, "Returned", polling_interval=0).result()


def test_a_forced_failover_loses_what_was_on_its_way(pair: Sql) -> None:
    pair.delay("replication", 600)
    add(pair, 5)
    time.sleep(0.5)
    assert sentinels(pair, BACKUP) == [1, 2, 3, 4]
    begun = pair.arm.failover_groups.begin_force_failover_allow_data_loss(
        GROUP, BACKUP, FAILOVER, polling_interval=0
    )
    begun.result()
    assert (role(pair, BACKUP), role(pair, SERVER)) == ("Primary", "Secondary")
    assert sentinels(pair, FAILOVER) == [1, 2, 3, 4]
    add(pair, 6)
    pair.cloud.command("fault clear")
    # The old primary is a copy of the new one now.
    until(lambda: sentinels(pair, SERVER) == [1, 2, 3, 4, 6])


def test_a_replica_that_lags_is_not_failed_over_to_by_plan(
    pair: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "_CATCH_UP", 3.0)
    pair.delay("replication", 600)
    add(pair, 7)
    with pytest.raises(HttpResponseError, match="has not received all changes"):
        pair.arm.failover_groups.begin_failover(GROUP, SERVER, FAILOVER, polling_interval=0).result()
    assert (role(pair, BACKUP), role(pair, SERVER)) == ("Primary", "Secondary")
    assert sentinels(pair, FAILOVER) == [1, 2, 3, 4, 6, 7]
    pair.cloud.command("fault clear")


def test_a_planned_failover_waits_for_what_is_late(pair: Sql) -> None:
    """Also with clients that go on writing, so that the replica is always behind."""
    pair.delay("replication", LAG)
    until(lambda: sentinels(pair, SERVER) == [1, 2, 3, 4, 6, 7])
    stop, written = threading.Event(), [1, 2, 3, 4, 6, 7]

    def write() -> None:
        with contextlib.suppress(psycopg.OperationalError), pair.log_in(host=BACKUP) as connection:
            for number in itertools.count(100):
                if stop.is_set():
                    return
                connection.execute("INSERT INTO sentinels VALUES (%s)", (number,))
                written.append(number)
                time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(written) > 10)
    begun = time.monotonic()
    pair.arm.failover_groups.begin_failover(GROUP, SERVER, FAILOVER, polling_interval=0).result()
    assert time.monotonic() - begun >= LAG
    stop.set()
    writer.join()
    assert role(pair, SERVER) == "Primary"
    # The last one may have been done and not acknowledged.
    assert set(written) <= set(sentinels(pair, FAILOVER)) <= {*written, written[-1] + 1}
    pair.cloud.command("fault clear")
    with pair.log_in(host=FAILOVER) as connection:
        connection.execute("DELETE FROM sentinels WHERE n >= 100")
    pair.arm.failover_groups.begin_failover(GROUP, BACKUP, FAILOVER, polling_interval=0).result()


def test_a_primary_that_did_not_stop_in_order_stays_the_primary(
    pair: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it is killed because it waits too long for a replica that fell behind just then."""

    async def kill(name: str) -> None:
        pair.supervisor.programs.pop(name, None)
        if process := pair.supervisor.running.pop(name, None):
            process.kill()
            process.wait()

    # What was held back until now is on its way.
    until(lambda: sentinels(pair, SERVER) == [1, 2, 3, 4, 6, 7])
    with monkeypatch.context() as patch:
        patch.setattr(pair.supervisor, "stop", kill)
        with pytest.raises(HttpResponseError, match="has not received all changes"):
            pair.arm.failover_groups.begin_failover(GROUP, SERVER, FAILOVER, polling_interval=0).result()
    assert (role(pair, BACKUP), role(pair, SERVER)) == ("Primary", "Secondary")
    assert sentinels(pair, FAILOVER) == [1, 2, 3, 4, 6, 7]


def test_without_the_group_both_servers_keep_the_data(pair: Sql) -> None:
    until(lambda: sentinels(pair, SERVER) == [1, 2, 3, 4, 6, 7])
    pair.arm.failover_groups.begin_delete(GROUP, BACKUP, FAILOVER, polling_interval=0).result()
    assert list(pair.arm.failover_groups.list_by_server(GROUP, SERVER)) == []
    add(pair, 8, SERVER)
    add(pair, 9, BACKUP)
    assert sentinels(pair, SERVER) == [1, 2, 3, 4, 6, 7, 8]
    assert sentinels(pair, BACKUP) == [1, 2, 3, 4, 6, 7, 9]
    with pytest.raises(psycopg.OperationalError, match="Cannot open server"):
        pair.log_in(host=FAILOVER)
    with pytest.raises(HttpResponseError, match="has databases of its own"):
        make(pair, body(DATABASE))
    with pair.log_in(ADMINISTRATOR, host=BACKUP) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
