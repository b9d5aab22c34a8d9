"""One database out of a recovered cluster, into the instance of the server that is to have it.

It is loaded under a name that the gateway lets nobody in to, and renamed when it is whole: one statement
makes it a database. Everything that `pg_dump --create` says comes along: owner, privileges, settings, large
objects.
"""

from __future__ import annotations

from pathlib import Path

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from sandbox.arm.errors import bad_request, conflict
from sandbox.azure.sql import marks, naming, programs, users
from sandbox.azure.sql.configuration import ADMINISTRATORS, SUPERUSER
from sandbox.azure.sql.instance import Instance
from sandbox.azure.sql.users import User

#: Seconds that writing or loading a database may take.
_LONGEST = 6 * 3600.0


async def extract(socket: Path, old_id: str, new_id: str, file: Path) -> list[User]:
    """Write the database marked as `old_id` to `file`, as the one of `new_id`; its users.

    The recovered cluster is changed for it. Raises ArmError 400 when it has no such database.
    """
    name = marks.unfinished(new_id)
    async with await _connect(socket, naming.MASTER) as connection:
        found = await marks.find(connection, old_id)
        if found is None:
            raise bad_request(
                "InvalidRestorePointInTime",
                "The source database did not exist at the restore point.",
                "properties.restorePointInTime",
            )
        old, new = sql.Identifier(found), sql.Identifier(name)
        # Dropping a database closes it first, and the moment may be just then.
        await connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(old))
        await connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, new))
        await marks.put(connection, name, new_id)
    async with await _connect(socket, name) as connection:
        found_users = await users.of_database(connection)
        for user in found_users:
            if user.is_administrator:
                # The target has administrators of its own, who own what the source's did (Azure's `dbo`).
                await connection.execute(
                    sql.SQL("REASSIGN OWNED BY {} TO {}").format(
                        sql.Identifier(user.name), sql.Identifier(ADMINISTRATORS)
                    )
                )
        found_users = await users.of_database(connection)
    await programs.run(
        *(programs.program("pg_dump"), f"--host={socket}", f"--username={SUPERUSER}", "--no-password"),
        *("--create", "--format=custom", "--compress=1", "--no-tablespaces", f"--file={file}", name),
        seconds=_LONGEST,
    )
    return found_users


async def load(target: Instance, new_id: str, file: Path, found: list[User]) -> None:
    """Load what `extract` wrote. Repeatable: what an interrupted attempt left is removed first."""
    await discard(target, new_id)
    async with target.connect() as connection:
        await users.ensure(connection, found)
    await programs.run(
        *(programs.program("pg_restore"), f"--host={target.socket}", f"--username={SUPERUSER}"),
        *("--no-password", f"--dbname={naming.MASTER}", "--create", "--exit-on-error", str(file)),
        seconds=_LONGEST,
    )


async def is_published(target: Instance, name: str, new_id: str) -> bool:
    async with target.connect() as connection:
        return await marks.find(connection, new_id) == name


async def publish(target: Instance, name: str, new_id: str) -> None:
    """Give the loaded database its name; one that has it and is no longer anybody's goes.

    Raises ArmError 409 when somebody made a database of that name with SQL.
    """
    async with target.connect() as connection:
        mark = await marks.of(connection, name)
        if mark == "":
            raise conflict(
                "DatabaseAlreadyExists", f"A database '{name}' was made with SQL on '{target.name}'."
            )
        if mark is not None:
            await connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        await connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(marks.unfinished(new_id)), sql.Identifier(name)
            )
        )


async def discard(target: Instance, new_id: str) -> None:
    """Remove what was loaded and not published."""
    async with target.connect() as connection:
        await connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(marks.unfinished(new_id))
            )
        )


async def _connect(socket: Path, database: str) -> AsyncConnection[TupleRow]:
    return await AsyncConnection.connect(
        host=str(socket), dbname=database, user=SUPERUSER, autocommit=True, connect_timeout=10
    )
