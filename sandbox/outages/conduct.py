"""Begins and ends outages: first the state, by which requests are refused or served, then what is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Protocol

from sandbox.outages.registry import Outages

log = logging.getLogger(__name__)


class Resources(Protocol):
    """What is told: `sandbox.arm.lifecycle.Lifecycle`."""

    async def lose(self, region: str) -> None: ...

    async def regain(self, region: str) -> None: ...


class Conduct:
    """`begin`, `end` and `listed` are commands of `sandbox.control`."""

    def __init__(self, outages: Outages, resources: Resources) -> None:
        self._outages = outages
        self._resources = resources
        self._returning: dict[str, asyncio.Task[None]] = {}

    async def begin(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return when the region is down with all that is there. Raises ValueError."""
        outage = self._outages.begin(given.get("region"))
        await self._interrupt(outage.region)
        await self._resources.lose(outage.region)
        return outage.wire()

    async def end(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return at once, as what is there comes back in its own time. Raises ValueError."""
        outage = self._outages.end(given.get("region"))
        task = asyncio.create_task(self._resources.regain(outage.region), name=f"{outage.region} returns")
        self._returning[outage.region] = task
        task.add_done_callback(lambda done: self._returned(outage.region, done))
        return outage.wire()

    def listed(self, _given: dict[str, Any]) -> list[dict[str, Any]]:
        return [outage.wire() for outage in self._outages.all()]

    async def stop(self) -> None:
        for region in list(self._returning):
            await self._interrupt(region)

    async def _interrupt(self, region: str) -> None:
        """The region may go down again while it comes back."""
        task = self._returning.get(region)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _returned(self, region: str, task: asyncio.Task[None]) -> None:
        if self._returning.get(region) is task:
            del self._returning[region]
        if not task.cancelled() and task.exception() is not None:
            log.error("%s does not come back whole: %r", region, task.exception())
