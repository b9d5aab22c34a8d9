"""What survives a kill, a restart and a deletion, and what does not."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.azure.sql import programs
from sandbox.azure.sql.instance import Instance
from tests.sandbox.azure.sql.conftest import DATABASE, GROUP, SERVER, Sql, running
from tests.waiting import until

OTHER = "sql-other-dev"


def processes(folder: Path) -> list[psutil.Process]:
    """Those that have a file or folder below `folder` open, or stand there."""
    found = []
    for process in psutil.process_iter():
        try:
            places = [process.cwd(), *(file.path for file in process.open_files())]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(place.startswith(f"{folder}/") for place in places):
            found.append(process)
    return found


def segments() -> set[str]:
    """Numbers of the machine's segments of shared memory."""
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def test_a_kill_loses_nothing_that_was_acknowledged(server: Sql) -> None:
    with server.log_in() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        for number in range(50):
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
        postmaster = server.supervisor.running[server.instance().program]
        postmaster.send_signal(signal.SIGKILL)
        postmaster.wait()
        until(lambda: _is_lost(connection))
    with pytest.raises(psycopg.OperationalError, match="not currently available"):
        server.log_in()
    asyncio.run(_start(server.instance()))
    with server.log_in() as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (50,)


def _is_lost(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


async def _start(instance: Instance) -> None:
    """As the supervisor does. What the killed one forked may still be ending."""
    for _ in range(100):
        await instance.services.supervisor.start(instance._definition())
        try:
            async with instance.connect():
                return
        except Exception:  # noqa: BLE001
            await asyncio.sleep(0.1)
    raise AssertionError("it does not start again")


def test_two_servers_know_nothing_of_each_other(server: Sql) -> None:
    server.make_server(OTHER)
    server.let_azure_in(OTHER)
    server.make_database(server=OTHER)
    with server.log_in() as one, server.log_in(host=OTHER) as two:
        one.execute("CREATE TABLE side (name text)")
        one.execute("CREATE ROLE only_here")
        with pytest.raises(psycopg.errors.UndefinedTable):
            two.execute("SELECT * FROM side")
        assert two.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'only_here'").fetchone() == (0,)
    assert server.instance().folder != server.instance(OTHER).folder


def test_deletion_leaves_nothing(server: Sql) -> None:
    server.make_server(OTHER)
    server.let_azure_in(OTHER)
    instance = server.instance(OTHER)
    until(lambda: list(instance.backups.glob("*Z")))
    with server.log_in(host=OTHER, database="master") as connection:
        server.arm.servers.begin_delete(GROUP, OTHER, polling_interval=0).result()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not instance.folder.exists()
    assert not instance.socket.exists()
    assert processes(instance.folder) == []
    assert instance.program not in server.supervisor.running
    with pytest.raises(ResourceNotFoundError):
        server.arm.servers.get(GROUP, OTHER)
    with pytest.raises(psycopg.OperationalError, match="Cannot open server"):
        server.log_in(host=OTHER)
    # The name is free again, and its new owner finds nothing of the old one.
    server.make_server(OTHER)
    server.let_azure_in(OTHER)
    with server.log_in(host=OTHER, database="master") as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert DATABASE not in names
    server.arm.servers.begin_delete(GROUP, OTHER, polling_interval=0).result()


def test_a_database_made_again_is_empty(server: Sql) -> None:
    server.make_database("Again")
    with server.log_in(database="Again") as connection:
        connection.execute("CREATE TABLE old (n int)")
        server.arm.databases.begin_delete(GROUP, SERVER, "Again", polling_interval=0).result()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match='database "Again" does not exist'):
        server.log_in(database="Again")
    server.make_database("Again")
    with server.log_in(database="Again") as connection:
        assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)
    # The same PUT again changes nothing.
    with server.log_in(database="Again") as connection:
        connection.execute("CREATE TABLE new (n int)")
    server.make_database("Again")
    with server.log_in(database="Again") as connection:
        assert connection.execute("SELECT count(*) FROM new").fetchone() == (0,)


def test_a_database_deleted_while_its_server_was_down_does_not_come_back(server: Sql) -> None:
    server.make_database("Ghost")
    with server.log_in(database="Ghost") as connection:
        connection.execute("CREATE TABLE old (n int)")
    asyncio.run(server.instance().stop())
    server.arm.databases.begin_delete(GROUP, SERVER, "Ghost", polling_interval=0).result()
    asyncio.run(server.instance().start())
    server.make_database("Ghost")
    with server.log_in(database="Ghost") as connection:
        assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)


def test_a_group_goes_with_servers_that_are_down(server: Sql) -> None:
    server.groups.resource_groups.create_or_update("rg-doomed", {"location": "westeurope"})
    body = {"location": "westeurope", "properties": server.administrators()}
    server.arm.servers.begin_create_or_update("rg-doomed", "sql-doomed", body, polling_interval=0).result()
    instance = server.instance("sql-doomed")
    segment = (instance.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
    assert segment in segments()
    server.supervisor.running[instance.program].kill()
    until(lambda: not processes(instance.folder))
    server.groups.resource_groups.begin_delete("rg-doomed", polling_interval=0).result()
    assert not instance.folder.exists()
    assert segment not in segments()


def test_a_server_that_cannot_be_made_fails_and_can_be_made_later(
    server: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = programs.program
    monkeypatch.setattr(programs, "program", lambda name: "/bin/false" if name == "initdb" else genuine(name))
    with pytest.raises(HttpResponseError, match="false failed"):
        server.make_server("sql-half")
    instance = server.instance("sql-half")
    assert not instance.exists
    monkeypatch.undo()
    # What a kill in the middle of making the cluster leaves.
    (instance.folder / "data.0badf00d").mkdir()
    (instance.folder / "data.0badf00d" / "PG_VERSION").write_text("15")
    server.make_server("sql-half")
    assert instance.exists
    assert not list(instance.folder.glob("data.*"))
    server.arm.servers.begin_delete(GROUP, "sql-half", polling_interval=0).result()


def test_a_restart_brings_everything_back(server: Sql, state: Path, patch: pytest.MonkeyPatch) -> None:
    with server.log_in() as connection:
        connection.execute("CREATE TABLE before (n int)")
    server.supervisor.end()
    with running(state, patch) as again:
        with again.log_in() as connection:
            assert connection.execute("SELECT count(*) FROM before").fetchone() == (0,)
        shown = again.arm.databases.get(GROUP, SERVER, DATABASE)
        assert shown.properties is not None
        assert shown.properties.status == "Online"
