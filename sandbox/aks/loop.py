"""What every controller does: reconcile whenever something changed, and now and then for safety."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from sandbox.aks.api import ApiError
from sandbox.aks.shell import CommandError
from sandbox.host.errors import HostError

log = logging.getLogger(__name__)

#: Seconds: after a failure, and to gather changes.
_RETRY, _GATHER = 2.0, 0.1

#: One round; it says in how many seconds the next is wanted though nothing changes.
Reconcile = Callable[[], Awaitable[float]]


class Loop:
    """Runs until its task is cancelled; every failure is logged and tried again. `name` is for the log."""

    def __init__(self, name: str, changed: asyncio.Event, reconcile: Reconcile) -> None:
        self._name = name
        self._changed = changed
        self._reconcile = reconcile

    async def run(self) -> None:
        pause = 0.0
        while True:
            # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes with the change.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            await asyncio.sleep(_GATHER)
            self._changed.clear()
            try:
                pause = await self._reconcile()
            except (ApiError, CommandError, HostError, OSError) as error:
                log.warning("%s: %s", self._name, error)
                pause = _RETRY
                await asyncio.sleep(_RETRY)
                self._changed.set()
            except Exception:
                # An object of a shape nobody foresaw must not end the controllers of a cluster.
                log.exception("%s", self._name)
                pause = _RETRY
                await asyncio.sleep(_RETRY)
