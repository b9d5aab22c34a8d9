"""What the tests of restores share: rows with the moments they were committed at, and restores by the SDK."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.azure.sql import backups
from tests.sandbox.azure.sql.conftest import DATABASE, GROUP, SERVER, Sql, group_id
from tests.waiting import until


def server_id(name: str = SERVER) -> str:
    return f"{group_id(GROUP)}/providers/Microsoft.Sql/servers/{name}"


def database_id(name: str = DATABASE, server: str = SERVER) -> str:
    return f"{server_id(server)}/databases/{name}"


def backed_up(sql: Sql, server: str = SERVER) -> None:
    """Return when the server has its first backup."""
    until(lambda: backups.taken(sql.instance(server).backups), seconds=60)


def commit(sql: Sql, row: str, database: str = DATABASE, server: str = SERVER) -> datetime:
    """Add a row; the server's time after it was committed."""
    with sql.log_in(host=server, database=database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS sentinels (name text PRIMARY KEY)")
        connection.execute("INSERT INTO sentinels VALUES (%s)", (row,))
        return now(sql, server)


def now(sql: Sql, server: str = SERVER) -> datetime:
    """The server's time."""
    with sql.log_in(host=server, database="master") as connection:
        found = connection.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    moment: datetime = found[0]
    return moment


def rows(sql: Sql, database: str, server: str = SERVER) -> set[str]:
    with sql.log_in(host=server, database=database) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sentinels")}


def restore(sql: Sql, name: str, mode: str, *, server: str = SERVER, **given: Any) -> Any:
    """PUT a database with a create mode; what the SDK returns when the operation has ended."""
    body = given.pop("body", {})
    location = given.pop("location", "westeurope")
    asked = {"createMode": mode, **given}
    return sql.make_database(name, server, location=location, properties=asked, **body)


def to_moment(sql: Sql, name: str, moment: datetime, source: str = DATABASE, **given: Any) -> Any:
    return restore(
        sql,
        name,
        "PointInTimeRestore",
        sourceDatabaseId=given.pop("source_id", database_id(source)),
        restorePointInTime=moment.isoformat(),
        **given,
    )


def is_there(sql: Sql, name: str, server: str = SERVER) -> bool:
    """Whether Azure shows the database."""
    return name in [one.name for one in sql.arm.databases.list_by_server(GROUP, server)]


def in_cluster(sql: Sql, server: str = SERVER) -> set[str]:
    """The names of the databases that the instance itself has."""
    with sql.log_in(host=server, database="master") as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
