"""`Microsoft.ContainerService/managedClusters/agentPools`: each pool is one real node, whatever its count."""

from __future__ import annotations

import copy

from sandbox.aks import bodies, rules
from sandbox.aks.runtime import POOL_TYPE, Runtime
from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.services import Services

CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"


class AgentPoolHandler(Handler):
    type = POOL_TYPE
    long_running = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.runtime = runtime(services)

    async def check(self, put: Put) -> None:
        sent = put.body.get("properties") or {}
        rules.check_pool(sent)
        if self._cluster(put.id).properties["powerState"]["code"] != "Running":
            raise ArmError(409, "OperationNotAllowed", "The cluster is stopped; start it first.")
        if put.previous is not None:
            rules.check_unchanged(put.previous.properties, sent)
            if put.previous.properties.get("mode") == "System" and sent.get("mode", "User") != "System":
                rules.check_last_system_pool(self._others(put.id), put.id.name)

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        version = self._cluster(put.id).properties["currentKubernetesVersion"]
        return {**body, "properties": bodies.pool(body.get("properties") or {}, version)}

    async def provision(self, resource: Resource) -> None:
        await self.runtime.settle_pool(self._cluster(resource.id), resource)

    async def resume(self, resource: Resource) -> None:
        cluster = self._cluster(resource.id)
        if cluster.properties["powerState"]["code"] == "Running":
            await self.runtime.settle_pool(cluster, resource)

    async def view(self, resource: Resource) -> Body:
        wire = copy.deepcopy(resource.wire())
        wire["properties"] = bodies.with_shortfall(wire["properties"])
        return wire

    async def check_delete(self, resource: Resource) -> None:
        rules.check_last_system_pool(self._others(resource.id), resource.id.name)

    async def delete(self, resource: Resource) -> None:
        await self.runtime.remove_node(self._cluster(resource.id), resource.id.name)

    def _others(self, id: ResourceId) -> list[Body]:  # noqa: A002
        pools = self.services.store.list(type=POOL_TYPE, under=str(parent(id)))
        return [pool.properties for pool in pools if pool.id != id]

    def _cluster(self, pool: ResourceId) -> Resource:
        cluster = parent(pool)
        found = self.services.store.get(cluster) if cluster else None
        if found is None:
            raise ArmError(404, "ParentResourceNotFound", f"The cluster '{cluster}' was not found.")
        return found


_runtimes: dict[int, tuple[Services, Runtime]] = {}


def runtime(services: Services) -> Runtime:
    """The one runtime that the handlers of a sandbox share."""
    known = _runtimes.get(id(services))
    if known is None or known[0] is not services:
        known = _runtimes[id(services)] = (services, Runtime(services))
    return known[1]
