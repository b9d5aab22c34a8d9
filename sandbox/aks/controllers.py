"""One cluster's cloud controllers (load balancers, ingress) as a task of the sandbox's Azure."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sandbox.aks import ingress, loadbalancer, watching
from sandbox.aks.api import Api, ApiError
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.shell import CommandError
from sandbox.host.errors import HostError

log = logging.getLogger(__name__)

_WATCHED = (loadbalancer.SERVICES, ingress.INGRESSES, ingress.SLICES, "/api/v1/secrets")
#: Seconds: between two looks when nothing seems to change, after a failure, and to gather changes.
_RESYNC, _RETRY, _GATHER = 30.0, 2.0, 0.1


class Controllers:
    """Runs from `start` to `stop`; every failure is logged and tried again."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._api = Api(plane)

    def start(self) -> None:
        self._changed.set()
        self._tasks = [
            asyncio.create_task(self._reconcile()),
            asyncio.create_task(watching.watch(self._api, _WATCHED, self._changed)),
        ]

    def wake(self) -> None:
        """Something outside Kubernetes changed (a node came or went)."""
        self._changed.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._api.close()

    async def _reconcile(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _RESYNC)
            await asyncio.sleep(_GATHER)
            self._changed.clear()
            try:
                services = await loadbalancer.reconcile(self._api, self._plane.layout)
                if self._plane.settings.app_routing:
                    await ingress.reconcile(self._plane, self._api, services)
            except (ApiError, CommandError, HostError, OSError) as error:
                log.warning("cluster %s: %s", self._plane.settings.name, error)
                self._changed.set()
                await asyncio.sleep(_RETRY)
