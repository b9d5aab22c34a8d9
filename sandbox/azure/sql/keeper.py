"""Keeps every server's backups: the first soon after it was made, then on schedule, as long as policy says.

One task per sandbox. What fails (a server that is down) is tried again at the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.sql import backups, long_term, naming, retention
from sandbox.azure.sql.instance import instance
from sandbox.services import Services

log = logging.getLogger(__name__)

#: Seconds between two looks.
_LOOK = 60.0
_HOUR, _DAY = 3600.0, 86_400.0


class Keeper:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def exclusive(self, server: str) -> asyncio.Lock:
        """Held while a server's files are copied, replaced or removed."""
        return self._locks[server.lower()]

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sql-backups")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def look(self) -> None:
        """Look now: a server is new, or a policy changed."""
        self._wanted.set()

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            for server in self._services.store.list(type=naming.SERVER):
                try:
                    async with self.exclusive(server.id.name):
                        await tend(self._services, server)
                except ArmError as error:
                    log.warning("no backup of %s: %s", server.id.name, error.message)
                except Exception:  # one server's trouble must not end the others' backups
                    log.exception("backup of %s", server.id.name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _LOOK)


async def tend(services: Services, server: Resource) -> None:
    """Take a backup of a server if one is due, and forget what its policies no longer keep."""
    one = instance(services, server)
    if not one.exists or one.is_standby:
        return
    days, hours = retention.of_server(services.store, server)
    known = backups.taken(one.backups)
    now = time.time()
    if not known or known[-1].ended < now - hours * _HOUR or not await backups.is_followed(one, known[-1]):
        await backups.take(one)
    await long_term.tend(services, server)
    await backups.prune(one, before=now - days * _DAY)
