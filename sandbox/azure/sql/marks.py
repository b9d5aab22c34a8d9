"""How a database in an instance is known to be one of Azure's: its comment holds its `databaseId`.

A name can be given again, and backups know a database by what it was called then; the id stays.
"""

from __future__ import annotations

from psycopg import sql

from sandbox.azure.sql.roles import Connection

_MARK = "azure:databaseId="
#: Names of databases that are being loaded; the gateway lets nobody in.
UNFINISHED = "azure_restore_"


def unfinished(database_id: str) -> str:
    """The name that a database has until it is whole."""
    return f"{UNFINISHED}{database_id.replace('-', '')}"


async def put(connection: Connection, name: str, database_id: str) -> None:
    """Mark the database of that name."""
    await connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(name), sql.Literal(f"{_MARK}{database_id}")
        )
    )


async def of(connection: Connection, name: str) -> str | None:
    """The id that the database of that name is marked with: empty without a mark, None without a database."""
    query = "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s"
    row = await (await connection.execute(query, (name,))).fetchone()
    if row is None:
        return None
    return str(row[0]).removeprefix(_MARK) if row[0].startswith(_MARK) else ""


async def find(connection: Connection, database_id: str) -> str | None:
    """The name of the database with that mark."""
    query = "SELECT datname::text FROM pg_database WHERE shobj_description(oid, 'pg_database') = %s"
    row = await (await connection.execute(query, (f"{_MARK}{database_id}",))).fetchone()
    return str(row[0]) if row else None
