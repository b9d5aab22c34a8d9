"""One cluster's controllers as tasks of the sandbox's Azure: load balancers, ingress, certificates, network
policies."""

from __future__ import annotations

import asyncio

from sandbox.aks import ingress, loadbalancer, watching
from sandbox.aks.addons import INGRESS_NAMESPACE, INGRESS_SERVICE
from sandbox.aks.api import Api
from sandbox.aks.certmanager.controller import CertManager
from sandbox.aks.certmanager.http01 import Challenges
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.loop import Loop
from sandbox.aks.networkpolicy.controller import NetworkPolicies
from sandbox.config import Config
from sandbox.host.hosts import HostNames

_WATCHED = (loadbalancer.SERVICES, ingress.INGRESSES, ingress.SLICES, ingress.SECRETS)
#: Seconds between two looks when nothing seems to change.
_RESYNC = 60.0


class Controllers:
    """Runs from `start` to `stop`; every failure is logged and tried again."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._changed, self._certificates_changed = asyncio.Event(), asyncio.Event()
        self._policies_changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._api = Api(plane)
        self._policies = NetworkPolicies(plane, self._api, self._policies_changed)
        challenges = Challenges()
        self._ingress = ingress.Ingress(plane, self._api, challenges)
        self._certificates = CertManager(
            self._api,
            authority=plane.services.ca,
            resolve=lambda name: public_address(plane.services.config, name),
            challenges=challenges,
            presented=self.wake,
            changed=self._certificates_changed,
        )

    def start(self) -> None:
        self._changed.set()
        name = f"cluster {self._plane.settings.name}"
        self._tasks = [
            asyncio.create_task(Loop(name, self._changed, self._reconcile).run()),
            asyncio.create_task(watching.watch(self._api, _WATCHED, self._changed)),
            asyncio.create_task(
                Loop(f"{name}, certificates", self._certificates_changed, self._certificates.reconcile).run()
            ),
            asyncio.create_task(watching.watch(self._api, (ingress.SECRETS,), self._certificates_changed)),
            asyncio.create_task(self._policies.run()),
            asyncio.create_task(watching.watch(self._api, self._policies.watched, self._policies_changed)),
        ]

    def wake(self) -> None:
        """Something outside Kubernetes changed (a node came or went)."""
        self._changed.set()
        self._policies_changed.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._certificates.stop()
        await self._api.close()

    async def _reconcile(self) -> float:
        services = (await self._api.get(loadbalancer.SERVICES))["items"]
        slices = (await self._api.get(ingress.SLICES))["items"]
        given = await loadbalancer.reconcile(self._api, self._plane.layout, services, slices)
        if self._plane.settings.app_routing:
            await self._ingress.reconcile(services, slices, given.get((INGRESS_NAMESPACE, INGRESS_SERVICE)))
        else:
            await self._ingress.stop()
        return _RESYNC


def public_address(config: Config, name: str) -> str | None:
    """Where a name leads for the public: what the sandbox's name server would answer."""
    if name != config.suffix and not name.endswith(f".{config.suffix}"):
        return None
    return HostNames(config).published().get(name, str(config.gateway))
