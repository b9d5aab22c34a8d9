"""One cluster's cloud controllers (load balancers, ingress) as a task of the sandbox's Azure."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sandbox.aks import ingress, loadbalancer, watching
from sandbox.aks.addons import INGRESS_NAMESPACE, INGRESS_SERVICE
from sandbox.aks.api import Api, ApiError
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.shell import CommandError
from sandbox.host.errors import HostError

log = logging.getLogger(__name__)

_WATCHED = (loadbalancer.SERVICES, ingress.INGRESSES, ingress.SLICES, ingress.SECRETS)
#: Seconds: between two looks when nothing seems to change, after a failure, and to gather changes.
_RESYNC, _RETRY, _GATHER = 60.0, 2.0, 0.1


class Controllers:
    """Runs from `start` to `stop`; every failure is logged and tried again."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._api = Api(plane)
        self._ingress = ingress.Ingress(plane, self._api)

    def start(self) -> None:
        self._changed.set()
        self._tasks = [
            asyncio.create_task(self._run()),
            asyncio.create_task(watching.watch(self._api, _WATCHED, self._changed)),
        ]

    def wake(self) -> None:
        """Something outside Kubernetes changed (a node came or went)."""
        self._changed.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._api.close()

    async def _run(self) -> None:
        while True:
            # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes with the change.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RESYNC):
                    await self._changed.wait()
            await asyncio.sleep(_GATHER)
            self._changed.clear()
            try:
                await self._reconcile()
            except (ApiError, CommandError, HostError, OSError) as error:
                log.warning("cluster %s: %s", self._plane.settings.name, error)
                self._changed.set()
                await asyncio.sleep(_RETRY)
            except Exception:
                # An object of a shape nobody foresaw must not end the controllers of a cluster.
                log.exception("cluster %s", self._plane.settings.name)
                await asyncio.sleep(_RETRY)

    async def _reconcile(self) -> None:
        services = (await self._api.get(loadbalancer.SERVICES))["items"]
        slices = (await self._api.get(ingress.SLICES))["items"]
        given = await loadbalancer.reconcile(self._api, self._plane.layout, services, slices)
        if self._plane.settings.app_routing:
            await self._ingress.reconcile(services, slices, given.get((INGRESS_NAMESPACE, INGRESS_SERVICE)))
        else:
            await self._ingress.stop()
