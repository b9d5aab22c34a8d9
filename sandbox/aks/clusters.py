"""`Microsoft.ContainerService/managedClusters`: a PUT starts a real Kubernetes."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence

from sandbox.aks import bodies, credentials, nodegroup, rules
from sandbox.aks.operations import ClusterOperations
from sandbox.aks.pools import CLUSTER_TYPE, runtime
from sandbox.aks.runtime import POOL_TYPE
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Operation
from sandbox.arm.resource import Body, Resource
from sandbox.services import Services


class ManagedClusterHandler(Handler):
    type = CLUSTER_TYPE
    long_running = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.runtime = runtime(services)

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        rules.check_profiles(properties.get("agentPoolProfiles") or [], new=put.previous is None)
        rules.check_network(properties.get("networkProfile") or {}, sandbox=self.services.config.network)
        before = put.previous.properties.get("apiServerAccessProfile") or {} if put.previous else None
        rules.check_access(properties.get("apiServerAccessProfile") or {}, before)
        for profile in properties.get("agentPoolProfiles") or []:
            known = self._pool(str(put.id), profile["name"])
            if known is not None:
                rules.check_unchanged(known.properties, profile)
        nodegroup.check_kubelet_identity(self.services, put)

    async def fill(self, put: Put) -> Body:
        known = {pool.id.name: pool.properties for pool in self._pools(str(put.id))}
        body = bodies.cluster(put, self.services.names, known)
        nodegroup.fill_kubelet_identity(self.services, put, body)
        return body

    async def provision(self, resource: Resource) -> None:
        nodegroup.ensure(self.services, resource)
        # The nodes ask for tokens of the kubelet's identity before the core stores what is done here.
        self.services.store.save(resource)
        await self.runtime.start(resource)
        for profile in resource.properties["agentPoolProfiles"]:
            properties = {key: value for key, value in profile.items() if key != "name"}
            pool = self._pool(str(resource.id), profile["name"])
            if pool is None:
                now = time.time()
                pool = Resource(parse_id(f"{resource.id}/agentPools/{profile['name']}"), {}, now, now)
            pool.body["properties"] = copy.deepcopy(properties)
            self.services.store.save(pool)
            await self.runtime.settle_pool(resource, pool)

    async def resume(self, resource: Resource) -> None:
        """The control plane; the pools resume by themselves."""
        if resource.properties["powerState"]["code"] == "Running":
            await self.runtime.start(resource)

    async def lost(self, resource: Resource, region: str) -> None:
        """Its machines are off the network, API server and ingress with them. They go on running, so that the
        cluster is whole when the region is back."""
        del region
        await self.runtime.cut_off(resource)

    async def view(self, resource: Resource) -> Body:
        """With every pool, as AKS lists them, however they were made."""
        wire = copy.deepcopy(resource.wire())
        profiles = [
            {"name": pool.id.name, **bodies.with_shortfall(pool.properties)}
            for pool in self._pools(str(resource.id))
        ]
        if profiles:
            wire["properties"]["agentPoolProfiles"] = sorted(profiles, key=lambda one: str(one["name"]))
        return wire

    async def delete(self, resource: Resource) -> None:
        await self.runtime.remove(resource)
        nodegroup.remove(self.services, resource)

    def actions(self) -> Mapping[str, Action]:
        return {
            "listClusterAdminCredential": self._admin_credentials,
            "listClusterUserCredential": self._user_credentials,
            "listClusterMonitoringUserCredential": self._user_credentials,
        }

    def operations(self) -> Sequence[Operation]:
        return ClusterOperations(self.services, self.runtime).all()

    async def _admin_credentials(self, call: Call) -> Body:
        return credentials.admin(self.runtime.plane(call.resource))

    async def _user_credentials(self, call: Call) -> Body:
        return credentials.user(self.runtime.plane(call.resource))

    def _pools(self, cluster: str) -> list[Resource]:
        return list(self.services.store.list(type=POOL_TYPE, under=f"{cluster}/agentPools"))

    def _pool(self, cluster: str, name: str) -> Resource | None:
        return self.services.store.get(f"{cluster}/agentPools/{name}")
