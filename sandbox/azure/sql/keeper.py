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
from sandbox.azure.sql import backups, naming
from sandbox.azure.sql.instance import instance
from sandbox.services import Services

log = logging.getLogger(__name__)

#: Seconds between two looks.
_LOOK = 60.0
_HOUR, _DAY = 3600.0, 86_400.0
#: Azure's defaults of a short-term policy.
RETENTION_DAYS, DIFFERENTIAL_HOURS = 7, 12


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
    days, hours = policy(services, server)
    known = backups.taken(one.backups)
    now = time.time()
    if not known or known[-1].ended < now - hours * _HOUR:
        await backups.take(one)
    await backups.prune(one, before=now - days * _DAY)


def policy(services: Services, server: Resource) -> tuple[int, int]:
    """Days that backups are kept, and hours between two: what the server's most demanding database asks."""
    policies = [
        found.properties for found in services.store.list(type=naming.SHORT_TERM, under=server.id.text)
    ]
    days = max((int(one.get("retentionDays") or RETENTION_DAYS) for one in policies), default=RETENTION_DAYS)
    hours = [int(one.get("diffBackupIntervalInHours") or DIFFERENTIAL_HOURS) for one in policies]
    return days, min(hours, default=DIFFERENTIAL_HOURS)
