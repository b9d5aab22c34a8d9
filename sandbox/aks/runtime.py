"""Clusters as they run: bringing up a control plane and nodes, and taking them away. Every step can be repeated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from sandbox.aks import addons, api, bodies, containerd, endpoint, network
from sandbox.aks.api import Api, ApiError
from sandbox.aks.controllers import Controllers
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.layout import ClusterLayout, NodeLayout, allocate, digest, find
from sandbox.aks.node import Node
from sandbox.aks.settings import read_cluster, read_pool
from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.config import TENANT_ID
from sandbox.host.network import add_node, remove_node
from sandbox.services import Services
from sandbox.toolchain import Toolchain

#: Seconds for an API server to answer and for a node to be Ready, on a busy machine.
_API_READY, _NODE_READY = 90.0, 180.0
_LOOK = 0.3


class Runtime:
    """All clusters of one sandbox."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._controllers: dict[str, Controllers] = {}
        self._apis: dict[str, Api] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def plane(self, cluster: Resource) -> ControlPlane:
        layout = self._layout(cluster)
        location = cluster.location or ""
        issuer = bodies.issuer(cluster.properties, self._services.names, location, layout.key)
        return ControlPlane(self._services, layout, read_cluster(cluster, issuer=issuer, tenant=TENANT_ID))

    def api(self, cluster: Resource) -> Api:
        """The sandbox's own access, as the cluster's administrator."""
        key = digest(str(cluster.id))
        if key not in self._apis:
            self._apis[key] = Api(self.plane(cluster))
        return self._apis[key]

    async def start(self, cluster: Resource) -> None:
        """Bring the control plane up with its add-ons and controllers; nodes follow."""
        async with self._lock(cluster):
            plane = self.plane(cluster)
            self._services.hosts.publish(endpoint.host(self._services))
            self._services.hosts.publish(plane.settings.fqdn, str(plane.layout.address))
            await asyncio.to_thread(add_node, self._services.config, plane.layout.machine)
            await asyncio.to_thread(plane.prepare)
            for program in plane.programs():
                await self._services.supervisor.start(program)
            await self.api(cluster).wait_ready(_API_READY)
            images = Toolchain.load(self._services.config).images
            named = {
                name: one for one in images for name in ("coredns", "metrics-server") if f"/{name}:" in one
            }
            folder = await asyncio.to_thread(addons.write_manifests, plane, named)
            await api.apply(plane, folder, prune=addons.SELECTOR)
            if plane.layout.key in self._controllers:
                await self._controllers.pop(plane.layout.key).stop()
            controllers = self._controllers[plane.layout.key] = Controllers(plane)
            controllers.start()

    async def add_node(self, cluster: Resource, pool: str, properties: Mapping[str, Any]) -> None:
        """Bring up the node of an agent pool and wait until Kubernetes calls it Ready."""
        async with self._lock(cluster):
            plane = self.plane(cluster)
            layout = plane.layout.node(pool)
            node = Node(plane, layout, read_pool(pool, properties))
            await asyncio.to_thread(node.prepare)
            for program in node.programs():
                await self._services.supervisor.start(program)
                if program.name == layout.program("containerd"):
                    await self._import_images(layout)
            await asyncio.to_thread(self._route, plane.layout)
            await self._wait_ready(self.api(cluster), layout)
            self._wake(plane.layout)

    async def remove_node(self, cluster: Resource, pool: str) -> None:
        """Take the node out of the cluster and remove its machine."""
        async with self._lock(cluster):
            layout = find(self._services.config, str(cluster.id))
            known = next((node for node in layout.nodes() if node.pool == pool), None) if layout else None
            if layout is None or known is None:
                return
            api_ = self.api(cluster)
            if await api_.ready():
                await self._drain(api_, known)
            await self._destroy(cluster, known)
            layout.forget_node(pool)
            await asyncio.to_thread(self._route, layout)
            self._wake(layout)

    async def remove(self, cluster: Resource) -> None:
        """Remove every trace of a cluster."""
        async with self._lock(cluster):
            layout = find(self._services.config, str(cluster.id))
            if layout is None:
                return
            await self.halt(layout.key)
            plane = self.plane(cluster)
            await self._services.supervisor.stop(layout.program("ingress"))
            for node in layout.nodes():
                await self._destroy(cluster, node)
            for name in ("scheduler", "controller-manager", "apiserver", "etcd"):
                await self._services.supervisor.stop(layout.program(name))
            await asyncio.to_thread(remove_node, self._services.config, layout.machine.name)
            self._services.hosts.withdraw(plane.settings.fqdn)
            await asyncio.to_thread(layout.remove)

    async def halt(self, key: str | None = None) -> None:
        """Stop the controllers of one cluster, or of all; what they made goes on."""
        for one in [key] if key else list(self._controllers):
            if one in self._controllers:
                await self._controllers.pop(one).stop()
            if one in self._apis:
                await self._apis.pop(one).close()

    def running_nodes(self, cluster: Resource) -> int:
        layout = find(self._services.config, str(cluster.id))
        return len(layout.nodes()) if layout else 0

    def _layout(self, cluster: Resource) -> ClusterLayout:
        try:
            return allocate(self._services.config, str(cluster.id))
        except LookupError as error:
            raise ArmError(409, "QuotaExceeded", f"No more clusters can be made: {error}.") from error

    def _lock(self, cluster: Resource) -> asyncio.Lock:
        return self._locks.setdefault(digest(str(cluster.id)), asyncio.Lock())

    def _wake(self, layout: ClusterLayout) -> None:
        if layout.key in self._controllers:
            self._controllers[layout.key].wake()

    async def _import_images(self, layout: NodeLayout) -> None:
        archives = list(Toolchain.load(self._services.config).images.values())
        deadline = time.monotonic() + 60
        while True:
            try:
                await asyncio.to_thread(containerd.import_images, layout, archives)
            except RuntimeError:
                # containerd takes a moment to listen.
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_LOOK)
            else:
                return

    def _route(self, layout: ClusterLayout) -> None:
        """Have every namespace of the cluster reach the pods of every (other) node."""
        resource = self._services.store.get(layout.id)
        if resource is None:
            return
        pods = self.plane(resource).settings.pods
        nodes = layout.nodes()
        gateways = {node.pod_network(pods): node.address for node in nodes}
        network.route(layout.netns, gateways)
        for node in nodes:
            network.route(
                node.netns, {pods: gateway for pods, gateway in gateways.items() if gateway != node.address}
            )

    async def _wait_ready(self, api_: Api, layout: NodeLayout) -> None:
        deadline = time.monotonic() + _NODE_READY
        while True:
            problem = "it has not registered"
            try:
                found = await api_.find(f"/api/v1/nodes/{layout.name}")
            except ApiError as error:
                found, problem = None, str(error)
            for condition in ((found or {}).get("status") or {}).get("conditions") or []:
                if condition["type"] == "Ready":
                    if condition["status"] == "True":
                        return
                    problem = condition.get("message", "not ready")
            if time.monotonic() > deadline:
                raise ArmError(
                    500,
                    "VMExtensionProvisioningError",
                    f"Node {layout.name} did not get ready within {_NODE_READY:.0f} s: {problem}",
                )
            await asyncio.sleep(_LOOK)

    async def _drain(self, api_: Api, node: NodeLayout) -> None:
        """Cordon, let the pods end by their own grace, forget the node."""
        path = f"/api/v1/nodes/{node.name}"
        if await api_.find(path) is None:
            return
        await api_.patch(path, {"spec": {"unschedulable": True}})
        pods = await api_.get("/api/v1/pods", {"fieldSelector": f"spec.nodeName={node.name}"})
        for pod in pods["items"]:
            meta = pod["metadata"]
            await api_.delete(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}")
        deadline = time.monotonic() + 60
        query = {"fieldSelector": f"spec.nodeName={node.name}"}
        while (await api_.get("/api/v1/pods", query))["items"] and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK)
        await api_.delete(path)

    async def _destroy(self, cluster: Resource, node: NodeLayout) -> None:
        for name in ("kube-proxy", "kubelet", "containerd", "imds"):
            await self._services.supervisor.stop(node.program(name))
        pool = self._services.store.get(f"{cluster.id}/agentPools/{node.pool}")
        properties = pool.properties if pool else bodies.pool({"vmSize": "unknown"}, "")
        machine = Node(self.plane(cluster), node, read_pool(node.pool, properties))
        await asyncio.to_thread(machine.destroy)
        await asyncio.to_thread(node.remove)
