"""Operations on the SQL database, each in a transaction that is rolled back."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

from tests.live.privileges.operations import ALLOWED, REFUSED, Ask, register
from tests.live.privileges.world import World

AUDIENCE = "https://database.windows.net"
_SERVER = "Microsoft.Sql/servers"
_VERSION = "2021-11-01"
_RULE = "privileges"
#: What each kind of statement does to no row at all, or to what is gone when the transaction ends.
_STATEMENTS = {
    "connect": ("log in", "SELECT 1"),
    "select": ("read executions", 'SELECT * FROM "AgentExecutions" LIMIT 1'),
    "insert": (
        "write executions",
        'INSERT INTO "AgentExecutions" SELECT * FROM "AgentExecutions" WHERE false',
    ),
    "update": ("change executions", 'UPDATE "AgentExecutions" SET "Id" = "Id" WHERE false'),
    "delete": ("delete executions", 'DELETE FROM "AgentExecutions" WHERE false'),
    "create": ("make tables", "CREATE TABLE privileges (id int)"),
    "alter": ("change the table of executions", 'ALTER TABLE "AgentExecutions" ADD COLUMN privileges int'),
    "users": ("make users", "CREATE ROLE privileges"),
}


def _connect(world: World, name: str, token: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=f"sql-agents-{world.environment}.database.{world.suffix}",
        dbname=world.database,
        user=name,
        password=token,
        sslmode="verify-full",
        sslrootcert=world.env["SSL_CERT_FILE"],
        connect_timeout=20,
        options="-c lock_timeout=5s",
    )


def _try(world: World, name: str, token: str, statement: str) -> str:
    try:
        with _connect(world, name, token) as connection:
            connection.execute(statement)
            connection.rollback()
    except psycopg.OperationalError as error:
        return REFUSED if "Login failed for user" in str(error) else str(error).strip()
    except psycopg.errors.InsufficientPrivilege:
        return REFUSED
    except psycopg.Error as error:
        return f"{type(error).__name__}: {error}"
    return ALLOWED


def _on_database(statement: str) -> Ask:
    async def ask(world: World, who: str) -> str:
        token = await world.token(who, AUDIENCE)
        return await asyncio.to_thread(_try, world, world.cast[who].name, token, statement)

    return ask


for _name, (_does, _statement) in _STATEMENTS.items():
    register(f"sql.{_name}", f"SQL: {_does}", _on_database(_statement))


async def open_firewall(world: World) -> None:
    """Let this machine reach the server: the address is the one that the refusal names."""
    token = await world.deployer(AUDIENCE)
    try:
        await asyncio.to_thread(lambda: _connect(world, "nobody", token).close())
    except psycopg.OperationalError as error:
        _, found, rest = str(error).partition("Client with IP address '")
        if found:
            address = rest.partition("'")[0]
            body = {"properties": {"startIpAddress": address, "endIpAddress": address}}
            await world.arm_done("PUT", _rule(world), _VERSION, body)


async def close_firewall(world: World) -> None:
    await world.arm("DELETE", _rule(world), _VERSION)


def _rule(world: World) -> str:
    return f"{world.resource(_SERVER, f'sql-agents-{world.environment}')}/firewallRules/{_RULE}"
