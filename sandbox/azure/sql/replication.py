"""How an instance becomes another one's replica, and stops being one.

A replica is whole: every database and role of its primary is there, and it has none of its own. Its log comes
over a `Link`, so that what distance does can be had. Each step may be repeated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import LiteralString

from psycopg.rows import TupleRow

from sandbox.arm.errors import ArmError, conflict
from sandbox.azure.sql import programs
from sandbox.azure.sql.configuration import REPLICATION
from sandbox.azure.sql.estate import Estate
from sandbox.azure.sql.instance import Instance

#: Seconds for a replica to find its primary again, and to have received all that it wrote.
_REJOIN, _CATCH_UP = 15.0, 60.0
_LOOK = 0.1


@dataclass(frozen=True)
class Pair:
    """A primary and its replica (to be)."""

    estate: Estate
    primary: Instance
    replica: Instance

    async def follow(self) -> None:
        """Make the replica follow: what it had is gone, unless it is one already and finds its primary.

        Raises ArmError when either does not answer.
        """
        await self.primary.start()
        if self.primary.is_standby:
            # A kill ended an exchange of roles half-way: who is to be primary goes on with what it has.
            await _promote(self.primary)
        await asyncio.to_thread(self.replica.prepare)
        await self._connect()
        if self.replica.is_standby:
            await self.replica.start()
            if await _until(self._streams, _REJOIN):
                return
        await self.replica.stop()
        async with self.estate.keeper.exclusive(self.replica.name):
            await self._copy()
        await self.replica.start()

    async def switch(self) -> None:
        """Exchange the roles without loss: the primary stops, the replica has all it wrote, and goes on.

        Waits for the replica to have what is written by now. Raises ArmError, the primary running as before,
        when it is too far behind.
        """
        # A primary that stops waits for its replica: one that is far behind is not waited for.
        row = await self._ask("SELECT pg_current_wal_flush_lsn()::text")
        written = str(row[0]) if row else ""
        if not await _until(lambda: self._received(written), _CATCH_UP):
            raise _behind(self.replica)
        link = self.estate.links.get(self.replica.name)
        if link is not None:
            # What clients wrote while that was waited for: nobody writes any more while it arrives.
            link.hurried = True
        try:
            await self.primary.stop()
            if not await self._has_all():
                await self.primary.start()
                raise _behind(self.replica)
        finally:
            if link is not None:
                link.hurried = False
        await asyncio.to_thread(self.primary.become_standby)
        await self.separate()

    async def _has_all(self) -> bool:
        """Whether the replica has received the stopped primary's last record, written when it shut down."""
        said = await self.primary.control()
        if said["Database cluster state"] != "shut down":
            return False
        async with self.replica.connect() as connection:
            query = "SELECT pg_last_wal_receive_lsn() > %s::pg_lsn"
            row = await (await connection.execute(query, (said["Latest checkpoint location"],))).fetchone()
        return bool(row and row[0])

    async def force(self) -> None:
        """Have the replica go on with what it has received; what was on its way is lost."""
        await self.estate.links.cut(self.replica.name)
        await self.primary.stop()
        await self.separate()

    async def separate(self) -> None:
        """Make the replica an instance of its own."""
        await self.estate.links.cut(self.replica.name)
        await self.replica.start()
        if self.replica.is_standby:
            await _promote(self.replica)

    async def state(self) -> str | None:
        """The replica's state in PostgreSQL's words (`streaming`, `catchup`, …); None when it is away."""
        try:
            row = await self._ask(
                "SELECT state FROM pg_stat_replication WHERE application_name = 'walreceiver'"
            )
        except ArmError:
            return None
        return str(row[0]) if row else None

    async def _streams(self) -> bool:
        return await self.state() == "streaming"

    async def _received(self, position: str) -> bool:
        """Whether the replica has all that the primary had written up to a position."""
        row = await self._ask(
            "SELECT flush_lsn >= %s::pg_lsn FROM pg_stat_replication "
            "WHERE application_name = 'walreceiver' AND state = 'streaming'",
            position,
        )
        return bool(row and row[0])

    async def _ask(self, query: LiteralString, *parameters: str) -> TupleRow | None:
        async with self.primary.connect() as connection:
            return await (await connection.execute(query, parameters or None)).fetchone()

    async def _connect(self) -> None:
        place = self.replica.link / self.primary.socket_file.name
        names, delays = (self.primary.name, self.replica.name), self.estate.services.delays
        await self.estate.links.connect(
            self.replica.name, place, self.primary.socket_file, lambda: delays.replication("sql", *names)
        )

    async def _copy(self) -> None:
        made = await asyncio.to_thread(self.replica.aside)
        await programs.run(
            *(programs.program("pg_basebackup"), f"--host={self.primary.socket}"),
            *(f"--username={REPLICATION}", "--no-password", f"--pgdata={made}", "--wal-method=stream"),
            *("--checkpoint=fast", "--label=azure-geo"),
        )
        await asyncio.to_thread(self.replica.become_standby, made)
        await self.replica.replace(made)


async def _promote(instance: Instance) -> None:
    async with instance.connect() as connection:
        row = await (await connection.execute("SELECT pg_promote(true, 60)")).fetchone()
    if not (row and row[0]):
        raise ArmError(500, "InternalServerError", f"'{instance.name}' did not become a primary in 60 s.")


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether a condition comes to hold in that time."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(_LOOK)
    return True


def _behind(replica: Instance) -> ArmError:
    return conflict(
        "GeoReplicaNotCaughtUp",
        f"The replica '{replica.name}' has not received all changes; a planned failover would lose data. Try "
        "again, or force it with data loss.",
    )
