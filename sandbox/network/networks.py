"""Implements `services.Networks`: after every change, what is stored is put in force."""

from __future__ import annotations

import asyncio
from typing import Protocol

from sandbox.arm.resource import ResourceId
from sandbox.config import Config
from sandbox.network.plan import Plan, compute
from sandbox.services import Store


class Applies(Protocol):
    """A `Fabric`, or what a test has in its place."""

    async def apply(self, plan: Plan) -> None: ...


class StoredNetworks:
    def __init__(self, config: Config, store: Store, fabric: Applies) -> None:
        self._config = config
        self._store = store
        self._fabric = fabric
        self._lock = asyncio.Lock()

    async def settle(self, *gone: ResourceId) -> None:
        async with self._lock:
            await self._fabric.apply(compute(self._config, self._store, gone))
