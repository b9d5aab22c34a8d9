"""`Microsoft.Sql/servers/databases`: a database in the server's instance, and how far back it can go."""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.sql import backups, database_body, groups, naming
from sandbox.azure.sql.configuration import ADMINISTRATORS
from sandbox.azure.sql.instance import instance
from sandbox.azure.sql.roles import Connection
from sandbox.azure.sql.servers import server_of

log = logging.getLogger(__name__)

_MARK = "azure:databaseId="


class DatabaseHandler(Handler):
    type = naming.DATABASE
    long_running = True

    async def check(self, put: Put) -> None:
        server = server_of(self, put)
        if put.id.name.lower() == naming.MASTER:
            raise bad_request(
                "OperationNotSupportedOnSystemDatabase", "The database 'master' is the server's own.", "name"
            )
        database_body.check(put.id.name, server, put.body, put.previous.properties if put.previous else None)
        groups.require_primary(self.services.store, server)

    async def fill(self, put: Put) -> Body:
        return database_body.fill(server_of(self, put), put.body, put.previous)

    async def provision(self, resource: Resource) -> None:
        server = instance(self.services, naming.server_id(resource.id).name)
        if server.is_standby:
            return
        async with server.connect() as connection:
            await _create(connection, resource)

    async def view(self, resource: Resource) -> Body:
        wire = resource.wire()
        if resource.id.name.lower() == naming.MASTER:
            return wire
        server = instance(self.services, naming.server_id(resource.id).name)
        earliest = backups.earliest(server.backups, since=resource.created_at)
        if earliest is None:
            return wire
        return {**wire, "properties": {**resource.properties, "earliestRestoreDate": earliest}}

    async def check_delete(self, resource: Resource) -> None:
        if resource.id.name.lower() == naming.MASTER:
            raise bad_request(
                "OperationNotSupportedOnSystemDatabase", "The database 'master' goes with its server.", "name"
            )
        if resource.properties.get("failoverGroupId"):
            raise conflict(
                "DatabaseInFailoverGroup",
                f"The database '{resource.id.name}' belongs to the failover group "
                f"'{resource.properties['failoverGroupId']}'; take it out of that first.",
            )

    async def delete(self, resource: Resource) -> None:
        server = instance(self.services, naming.server_id(resource.id).name)
        if resource.id.name.lower() == naming.MASTER or not server.exists or server.is_standby:
            return
        try:
            async with server.connect() as connection:
                await _drop(connection, resource)
        except ArmError:
            # It goes with its server, or is found to be another's when one of its name is made again.
            log.warning("%s does not answer: the data of %s stay for now", server.name, resource.id.name)


async def _create(connection: Connection, resource: Resource) -> None:
    """Repeatable. The comment tells this database from one of the same name that was there before."""
    name, mark = resource.id.name, f"{_MARK}{resource.properties['databaseId']}"
    found = await (
        await connection.execute(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s",
            (name,),
        )
    ).fetchone()
    if found is not None and found[0].startswith(_MARK) and found[0] != mark:
        await _drop(connection, resource)
        found = None
    if found is None:
        create = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        await connection.execute(sql.SQL(create).format(sql.Identifier(name), sql.Identifier(ADMINISTRATORS)))
    comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
    await connection.execute(comment.format(sql.Identifier(name), sql.Literal(mark)))


async def _drop(connection: Connection, resource: Resource) -> None:
    """End its connections and drop it; the log up to there is archived, so that it can be restored."""
    await connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(resource.id.name))
    )
    try:
        await connection.execute("SELECT pg_switch_wal()")
    except psycopg.Error as error:
        log.warning("could not switch to a new log segment: %s", error)
