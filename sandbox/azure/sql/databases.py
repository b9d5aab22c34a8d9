"""`Microsoft.Sql/servers/databases`: a database in the server's instance, and how far back it can go."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import timestamp
from sandbox.azure.sql import (
    database_body,
    dropped,
    groups,
    long_term,
    marks,
    naming,
    restore,
    retention,
    sources,
    transfer,
)
from sandbox.azure.sql.configuration import ADMINISTRATORS
from sandbox.azure.sql.estate import estate_of
from sandbox.azure.sql.instance import Instance, instance
from sandbox.azure.sql.roles import Connection
from sandbox.azure.sql.servers import server_of

log = logging.getLogger(__name__)

#: What a body holds besides what ARM answers.
_HIDDEN = (restore.KEY, dropped.DROPPED, retention.DAYS)


class DatabaseHandler(Handler):
    type = naming.DATABASE
    long_running = True

    async def check(self, put: Put) -> None:
        server = server_of(self, put)
        if put.id.name.lower() == naming.MASTER:
            raise bad_request(
                "OperationNotSupportedOnSystemDatabase", "The database 'master' is the server's own.", "name"
            )
        server, before, sent = server_of(self, put), _made(put), put.body.get("properties") or {}
        groups.require_primary(self.services.store, server)
        if before is not None:
            _require_same_origin(before, sent)
        origin = sources.of(self.services, server, sent) if before is None else None
        database_body.check(
            put.id.name,
            server,
            put.body,
            before.properties if before else None,
            origin.body["properties"] if origin else None,
        )

    async def fill(self, put: Put) -> Body:
        server, before, sent = server_of(self, put), _made(put), put.body.get("properties") or {}
        origin = sources.of(self.services, server, sent) if before is None else None
        body = database_body.fill(server, put.body, before, origin.body["properties"] if origin else None)
        for name in _HIDDEN:
            body.pop(name, None)
        if origin is not None:
            body[restore.KEY] = restore.order(origin, _asked(sent))
            body["properties"]["status"] = restore.RESTORING
        elif before is not None and restore.KEY in before.body:
            body[restore.KEY] = before.body[restore.KEY]
        return body

    async def provision(self, resource: Resource) -> None:
        server = instance(self.services, naming.server_id(resource.id).name)
        if server.is_standby:
            return
        if restore.is_pending(resource):
            await restore.run(self.services, estate_of(self.services).keeper, resource)
            _date(resource)
            return
        async with server.connect() as connection:
            if await _create(connection, resource):
                _date(resource)

    async def view(self, resource: Resource) -> Body:
        wire = {name: value for name, value in resource.wire().items() if name not in _HIDDEN}
        if resource.id.name.lower() == naming.MASTER or restore.is_pending(resource):
            return wire
        server = instance(self.services, naming.server_id(resource.id).name)
        earliest = retention.earliest(self.services.store, server.backups, resource)
        if earliest is None:
            return wire
        return {**wire, "properties": {**resource.properties, "earliestRestoreDate": timestamp(earliest)}}

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
        # What was noted of it meanwhile: its policy's days.
        resource = self.services.store.get(resource.id) or resource
        if restore.is_pending(resource):
            await self._discard(server, resource)
            return
        try:
            async with server.connect() as connection:
                await self._close(connection, resource)
                await _drop(connection, resource)
        except ArmError:
            # It goes with its server, or is found to be another's when one of its name is made again.
            log.warning("%s does not answer: the data of %s stay for now", server.name, resource.id.name)
            self._note_drop(resource, time.time())
        long_term.note_drop(self.services, resource, dropped.date(resource))
        self.services.store.keep_deleted(resource, days=retention.days(self.services.store, resource))

    async def _close(self, connection: Connection, resource: Resource) -> None:
        """Let nobody in any more, and note from when on: what was committed by then can be restored."""
        if dropped.DROPPED in resource.body:
            return
        name = resource.id.name
        if await marks.of(connection, name) is None:
            self._note_drop(resource, time.time())
            return
        close = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
        await connection.execute(close)
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        row = await (
            await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        ).fetchone()
        self._note_drop(resource, float(row[0]) if row else time.time())

    def _note_drop(self, resource: Resource, at: float) -> None:
        if dropped.DROPPED not in resource.body:
            resource.body[dropped.DROPPED] = timestamp(at)
            self.services.store.save(resource)

    async def _discard(self, server: Instance, resource: Resource) -> None:
        """Of a restore that has not ended, nothing is kept."""
        try:
            await transfer.discard(server, resource.properties["databaseId"])
        except ArmError:
            log.warning("%s does not answer: what was loaded of %s stays", server.name, resource.id.name)


def _made(put: Put) -> Resource | None:
    """The database as it is; one whose restore failed is as good as none."""
    return None if put.previous is None or restore.is_pending(put.previous) else put.previous


def _asked(sent: Mapping[str, Any]) -> dict[str, Any]:
    names = ("createMode", *database_body.SOURCES)
    return {name: sent[name] for name in names if sent.get(name) is not None}


def _require_same_origin(before: Resource, sent: Mapping[str, Any]) -> None:
    """A database is restored once: the same request again is an update, another one finds the name taken."""
    asked = _asked(sent)
    made_by = (before.body.get(restore.KEY) or {}).get("asked")
    if asked.get("createMode") in sources.MODES and asked != made_by:
        raise conflict(
            "DatabaseAlreadyExists",
            f"The database '{before.id.name}' already exists: a restore makes a new database, under a name "
            "of its own.",
        )


def _date(resource: Resource) -> None:
    """It exists from now on: no backup before leads to it."""
    resource.properties["creationDate"] = timestamp(time.time())


async def _create(connection: Connection, resource: Resource) -> bool:
    """Whether it had to be made. Repeatable: the mark tells it from an earlier one of that name."""
    name, id = resource.id.name, resource.properties["databaseId"]  # noqa: A001
    mark = await marks.of(connection, name)
    if mark not in (None, "", id):
        await _drop(connection, resource)
        mark = None
    if mark is None:
        create = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        owner = sql.Identifier(ADMINISTRATORS)
        await connection.execute(sql.SQL(create).format(sql.Identifier(name), owner))
    if mark != id:
        await marks.put(connection, name, id)
    return bool(mark != id)


async def _drop(connection: Connection, resource: Resource) -> None:
    """End its connections and drop it; the log up to there is archived, so that it can be restored."""
    # Recovery removes a dropped database's files before it reads the drop's time. One that is to stop at the
    # drop stops at this commit before it.
    await connection.execute("SELECT pg_logical_emit_message(true, 'azure', 'drop')")
    await connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(resource.id.name))
    )
    try:
        await connection.execute("SELECT pg_switch_wal()")
    except psycopg.Error as error:
        log.warning("could not switch to a new log segment: %s", error)
