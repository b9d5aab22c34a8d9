"""Noticing that objects of a cluster changed: one watch per kind, which only wakes whoever reconciles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sandbox.aks.api import Api, ApiError

log = logging.getLogger(__name__)

#: Seconds before a lost watch is opened again; and how long one lasts before the API server ends it.
_PAUSE, _LENGTH = 1.0, 300


async def watch(api: Api, paths: Sequence[str], changed: asyncio.Event) -> None:
    """Set `changed` whenever something under one of the list paths may have changed. Runs until cancelled."""
    async with asyncio.TaskGroup() as group:
        for path in paths:
            group.create_task(_watch(api, path, changed))


async def _watch(api: Api, path: str, changed: asyncio.Event) -> None:
    while True:
        try:
            listed = await api.get(path, {"limit": "1"})
            # What happened between two watches is not replayed: assume that something did.
            changed.set()
            query = {
                "watch": "true",
                "resourceVersion": listed["metadata"]["resourceVersion"],
                "timeoutSeconds": str(_LENGTH),
            }
            async for _ in api.stream(path, query):
                changed.set()
        except ApiError as error:
            log.debug("watching %s: %s", path, error)
        await asyncio.sleep(_PAUSE)
