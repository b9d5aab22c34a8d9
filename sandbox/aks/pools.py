"""`Microsoft.ContainerService/managedClusters/agentPools`: each pool is one real node, whatever its count."""

from __future__ import annotations

import copy

from sandbox.aks import bodies
from sandbox.aks.runtime import Runtime
from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.resource import Body, Resource
from sandbox.services import Services

CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"
POOL_TYPE = f"{CLUSTER_TYPE}/agentPools"


class AgentPoolHandler(Handler):
    type = POOL_TYPE
    long_running = True
    runtime: Runtime

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.runtime = runtime(services)

    async def check(self, put: Put) -> None:
        if put.previous is None:
            return
        before, sent = put.previous.properties, put.body.get("properties", {})
        for name in ("vmSize", "osType"):
            if name in sent and sent[name] != before.get(name):
                raise bad_request(
                    "PropertyChangeNotAllowed",
                    f"Changing property 'properties.{name}' is not allowed.",
                    f"properties.{name}",
                )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        version = self._cluster(put).properties["currentKubernetesVersion"]
        return {**body, "properties": bodies.pool(body.get("properties", {}), version)}

    async def provision(self, resource: Resource) -> None:
        await self.runtime.add_node(self._of(resource), resource.id.name, resource.properties)

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def view(self, resource: Resource) -> Body:
        wire = copy.deepcopy(resource.wire())
        wire["properties"]["sandboxRunningNodes"] = 1
        return wire

    async def check_delete(self, resource: Resource) -> None:
        pools = self.services.store.list(type=POOL_TYPE, under=f"{parent(resource.id)}/agentPools/")
        others = [pool for pool in pools if pool.id != resource.id]
        if not any(pool.properties.get("mode") == "System" for pool in others):
            raise ArmError(
                400,
                "OperationNotAllowed",
                f"There has to be at least one system node pool, so '{resource.id.name}' cannot be deleted.",
            )

    async def delete(self, resource: Resource) -> None:
        await self.runtime.remove_node(self._of(resource), resource.id.name)

    def _cluster(self, put: Put) -> Resource:
        return self._find(str(parent(put.id)))

    def _of(self, pool: Resource) -> Resource:
        return self._find(str(parent(pool.id)))

    def _find(self, cluster: str) -> Resource:
        found = self.services.store.get(cluster)
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
