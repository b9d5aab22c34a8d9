"""Nothing that was acknowledged is lost, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from sandbox.azure import documentdb
from sandbox.azure.documentdb import naming
from sandbox.azure.documentdb.accounts import AccountHandler
from sandbox.azure.documentdb.databases import databases
from tests.sandbox.azure.documentdb.conftest import Cosmos

#: What the journal of an account with a database and a container holds before any document.
BEGINNING = [
    (operation, None) for operation in ("regions", "define-database", "throughput", "define", "throughput")
]
COUNT = "SELECT VALUE COUNT(1) FROM c"
WRITER = """
import sys
from pathlib import Path
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.items import Items, Write
from sandbox.azure.documentdb.journal import Journal

container = Container("AAAAAAAAAAA=", "dbs/a/colls/b", "dbs/x/colls/y/", ("/agent",), "Hash", 2, None, (), {})
items = Items(Journal(Path(sys.argv[1])), container)
number = 0
while True:
    items.one(Write("create", None, body={"id": str(number), "agent": "x", "text": "x" * 500}))
    print(number, flush=True)
    number += 1
"""


def test_killing_the_query_engine_in_the_middle_of_writes_loses_nothing(fresh: Cosmos) -> None:
    """Writers write and queries are asked all the while; the process is killed and, as the supervisor does,
    started again, several times over."""
    acknowledged: list[str] = []
    stop = threading.Event()

    def write(number: int) -> None:
        events, count = fresh.events(), 0
        while not stop.is_set():
            name = f"{number}-{count}"
            events.create_item({"id": name, "agent": "notification"})
            acknowledged.append(name)
            count += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    reader = fresh.events()
    for _ in range(5):
        before = len(acknowledged)
        seen = next(iter(reader.query_items(COUNT, partition_key="notification")))
        assert int(str(seen)) >= before
        process = fresh.supervisor.running["cosmos-cosmos-agents-dev"]
        process.kill()
        process.wait()
        fresh.server.call(AccountHandler(fresh.world.services).resume(account))
    stop.set()
    for thread in threads:
        thread.join()
    rows = reader.query_items("SELECT VALUE c.id FROM c", partition_key="notification")
    assert sorted(map(str, rows)) == sorted(acknowledged)
    assert len(acknowledged) > 20


def test_killing_the_writer_leaves_every_acknowledged_write(tmp_path: Path) -> None:
    """The process that holds the journal is killed: what it had said it wrote is there, whole."""
    file = tmp_path / "journal.db"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(200)]
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait()
    last = max(int(line) for line in said if line.endswith("\n"))
    with sqlite3.connect(file) as connection:
        stored = {int(row[0]) for row in connection.execute("SELECT id FROM documents")}
        written = {int(row[0]) for row in connection.execute("SELECT id FROM journal")}
    assert stored == written
    assert stored >= set(range(last + 1))
    assert len(stored) <= last + 2


def test_state_outlives_a_restart_with_its_etags(fresh: Cosmos) -> None:
    before = fresh.events().create_item({"id": "1", "agent": "notification"})
    fresh.server.call(documentdb.stop(fresh.world.services))
    fresh.server.call(fresh.supervisor.stop("cosmos-cosmos-agents-dev"))
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    fresh.server.call(AccountHandler(fresh.world.services).resume(account))
    events = fresh.events()
    assert events.read_item("1", "notification") == before
    assert list(events.query_items("SELECT * FROM c", partition_key="notification")) == [before]
    after = events.replace_item("1", {**before, "n": 1})
    assert (after["_rid"], after["_etag"] != before["_etag"]) == (before["_rid"], True)


def test_the_journal_tells_the_account_as_of_any_moment(fresh: Cosmos) -> None:
    events = fresh.events()
    events.create_item({"id": "1", "agent": "x", "n": 1})
    events.create_item({"id": "2", "agent": "x", "n": 1})
    between = time.time_ns() // 1000
    events.upsert_item({"id": "1", "agent": "x", "n": 2})
    events.delete_item("2", "x")
    file = next((fresh.world.services.config.state / "cosmos").glob("*.db"))
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT operation, id, document FROM journal WHERE time < ? ORDER BY lsn", (between,)
        ).fetchall()
        everything = connection.execute("SELECT operation FROM journal ORDER BY lsn").fetchall()
    assert [(operation, id_) for operation, id_, _ in rows] == [
        *BEGINNING,
        ("create", "1"),
        ("create", "2"),
    ]
    by_operation = {row[0]: json.loads(row[2]) for row in rows if row[2]}
    assert by_operation["define"]["link"] == "dbs/AgentsDB/colls/Events"
    assert by_operation["define-database"]["id"] == "AgentsDB"
    assert by_operation["regions"] == ["westeurope"]
    assert by_operation["throughput"]["throughput"] == 10_000
    assert by_operation["create"]["n"] == 1
    assert [row[0] for row in everything[len(BEGINNING) :]] == ["create", "create", "upsert", "delete"]


def test_history_is_kept_as_long_as_it_can_be_restored(fresh: Cosmos) -> None:
    events = fresh.events()
    for number in range(3):
        events.upsert_item({"id": "1", "agent": "x", "n": number})
    events.delete_item("1", "x")
    events.create_item({"id": "2", "agent": "x"})
    between = time.time()
    events.upsert_item({"id": "2", "agent": "x", "n": 1})
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    data = databases(fresh.world.services.config).of(account)
    fresh.server.call(data.run(lambda journal: journal.prune(between)))
    file = next((fresh.world.services.config.state / "cosmos").glob("*.db"))
    with sqlite3.connect(file) as connection:
        kept = connection.execute("SELECT operation, id FROM journal ORDER BY lsn").fetchall()
    assert kept == [*BEGINNING, ("delete", "1"), ("create", "2"), ("upsert", "2")]
    assert events.read_item("2", "x")["n"] == 1


def test_a_deleted_account_leaves_its_backup_only_if_it_is_continuous(fresh: Cosmos) -> None:
    folder = fresh.world.services.config.state / "cosmos"
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    file = folder / f"{account.properties['instanceId']}.db"
    fresh.server.call(fresh.world.adelete(list(documentdb.HANDLERS), account))
    assert file.exists()
    assert not fresh.supervisor.programs
    assert not fresh.world.hosts.names
    account = fresh.account(backupPolicy={"type": "Periodic"})
    file = folder / f"{account.properties['instanceId']}.db"
    assert file.exists()
    fresh.server.call(fresh.world.adelete(list(documentdb.HANDLERS), account))
    assert not file.exists()
