"""Clusters as they run: bringing up a control plane and nodes, and taking them away. Every step can be
repeated, and completes what a kill left half done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from sandbox.aks import addons, bodies, containerd, endpoint, kubenode, network
from sandbox.aks.api import Api
from sandbox.aks.controllers import Controllers
from sandbox.aks.controlplane import PROGRAMS as CONTROL_PLANE
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.layout import ClusterLayout, NodeLayout, allocate, digest, find
from sandbox.aks.node import Node
from sandbox.aks.settings import read_cluster, read_pool
from sandbox.aks.shell import CommandError
from sandbox.arm.errors import ArmError
from sandbox.arm.progress import report
from sandbox.arm.resource import Resource
from sandbox.config import TENANT_ID
from sandbox.host.network import add_node, remove_node, unplug
from sandbox.services import Program, Services
from sandbox.toolchain import Toolchain

POOL_TYPE = "Microsoft.ContainerService/managedClusters/agentPools"
#: Seconds for an API server and a containerd to answer, on a busy machine.
_API_READY, _CONTAINERD_READY = 120.0, 60.0
_LOOK = 0.2


class Runtime:
    """All clusters of one sandbox."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._controllers: dict[str, Controllers] = {}
        self._apis: dict[str, Api] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def plane(self, cluster: Resource) -> ControlPlane:
        layout = self._layout(cluster)
        issuer = bodies.issuer(cluster.properties, self._services.names, cluster.location or "")
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
            report(5, "Starting the control plane")
            plane = self.plane(cluster)
            self._publish(plane)
            await asyncio.to_thread(add_node, self._services.config, plane.layout.machine)
            await self._services.networks.settle()
            await asyncio.to_thread(self._route, plane)
            await asyncio.to_thread(plane.prepare)
            programs = {program.name: program for program in plane.programs()}
            store, server, *rest = (programs[plane.layout.program(name)] for name in CONTROL_PLANE)
            await self._start(store, server)
            await self._answering(plane, self.api(cluster))
            report(40, "Installing add-ons")
            await self._start(*rest)
            folder = await asyncio.to_thread(addons.write_manifests, plane)
            await addons.apply(plane, folder)
            await self._stop_controllers(plane.layout.key)
            controllers = self._controllers[plane.layout.key] = Controllers(plane)
            controllers.start()

    async def stop(self, cluster: Resource) -> None:
        """End all programs of a cluster; its data stays."""
        async with self._lock(cluster):
            layout = self._layout(cluster)
            await self.halt(layout.key)
            await self._stop_programs(layout.program("ingress"))
            for node in layout.nodes():
                machine = self._node(cluster, node)
                await self._stop_programs(*machine.program_names())
                await asyncio.to_thread(machine.reset)
            await self._stop_programs(*(layout.program(name) for name in reversed(CONTROL_PLANE)))

    async def cut_off(self, cluster: Resource) -> None:
        """Have nothing of a cluster reach or be reached; it goes on by itself. `start` and `settle_pool`
        undo it."""
        async with self._lock(cluster):
            layout = find(self._services.config, str(cluster.id))
            if layout is None:
                return
            await self.halt(layout.key)
            for machine in (layout.machine, *(node.machine for node in layout.nodes())):
                await asyncio.to_thread(unplug, self._services.config, machine)

    async def start_nodes(self, cluster: Resource) -> None:
        for pool in self._services.store.list(type=POOL_TYPE, under=str(cluster.id)):
            await self.settle_pool(cluster, pool)

    async def settle_pool(self, cluster: Resource, pool: Resource) -> None:
        """Have a node for the pool, or none when it is stopped or scaled to none."""
        if bodies.wants_node(pool.properties):
            await self.add_node(cluster, pool.id.name, pool.properties)
        else:
            await self.remove_node(cluster, pool.id.name)

    async def add_node(self, cluster: Resource, pool: str, properties: Mapping[str, Any]) -> None:
        """Bring up the node of an agent pool and wait until Kubernetes calls it Ready."""
        async with self._lock(cluster):
            report(60, f"Starting a node for pool {pool}")
            plane = self.plane(cluster)
            node = Node(plane, plane.layout.node(pool), read_pool(pool, properties))
            states = await self._services.supervisor.status()
            if not node.is_whole(states):
                await self._stop_programs(*node.program_names())
                await asyncio.to_thread(node.reset)
            await asyncio.to_thread(node.prepare)
            await asyncio.to_thread(self._route, plane)
            await self._services.networks.settle()
            started = None if states.get(node.layout.program("kubelet")) == "RUNNING" else time.time()
            metadata, runtime, kubelet, proxy = node.programs()
            await self._start(metadata, runtime)
            await self._import_images(node.layout)
            await self._start(kubelet, proxy)
            report(80, f"Waiting for node {node.layout.name} to be Ready")
            await kubenode.wait_ready(self.api(cluster), node.layout, since=started)
            pods = node.layout.pod_network(plane.settings.pods)
            await kubenode.dress(self.api(cluster), node.layout, plane.settings, node.pool, pods)
            self._wake(plane.layout)

    async def remove_node(self, cluster: Resource, pool: str) -> None:
        """Take the node out of the cluster and remove its machine."""
        async with self._lock(cluster):
            layout = find(self._services.config, str(cluster.id))
            known = next((node for node in layout.nodes() if node.pool == pool), None) if layout else None
            if layout is None or known is None:
                return
            api_ = self.api(cluster)
            if len(layout.nodes()) > 1 and await api_.ready():
                report(10, f"Draining node {known.name}")
                await kubenode.drain(api_, known)
            report(60, f"Removing node {known.name}")
            await self._destroy(cluster, known)
            layout.forget_node(pool)
            await asyncio.to_thread(self._route, self.plane(cluster))
            await self._services.networks.settle()
            self._wake(layout)

    async def remove(self, cluster: Resource) -> None:
        """Remove every trace of a cluster."""
        async with self._lock(cluster):
            layout = find(self._services.config, str(cluster.id))
            if layout is None:
                return
            await self.halt(layout.key)
            plane = self.plane(cluster)
            await self._stop_programs(layout.program("ingress"))
            for node in layout.nodes():
                await self._destroy(cluster, node)
            await self._stop_programs(*(layout.program(name) for name in reversed(CONTROL_PLANE)))
            await asyncio.to_thread(remove_node, self._services.config, layout.machine.name)
            for name in plane.settings.names:
                self._services.hosts.withdraw(name)
            await asyncio.to_thread(layout.remove)
            await self._services.networks.settle()

    async def halt(self, key: str | None = None) -> None:
        """Stop the controllers of one cluster, or of all; what they made goes on."""
        for one in [key] if key else list(self._apis.keys() | self._controllers.keys()):
            await self._stop_controllers(one)
            if one in self._apis:
                await self._apis.pop(one).close()

    def _layout(self, cluster: Resource) -> ClusterLayout:
        try:
            return allocate(self._services.config, str(cluster.id))
        except LookupError as error:
            raise ArmError(409, "QuotaExceeded", f"No more clusters can be made: {error}.") from error

    def _lock(self, cluster: Resource) -> asyncio.Lock:
        return self._locks.setdefault(digest(str(cluster.id)), asyncio.Lock())

    def _publish(self, plane: ControlPlane) -> None:
        hosts, issuer = self._services.hosts, plane.settings.issuer
        hosts.publish(endpoint.host(self._services))
        hosts.publish(issuer.partition("://")[2].partition("/")[0])
        # A private name is known in the cluster's own networks alone.
        if plane.settings.public_fqdn is not None:
            hosts.publish(plane.settings.public_fqdn, str(plane.layout.address))

    async def _answering(self, plane: ControlPlane, api_: Api) -> None:
        try:
            await api_.wait_ready(_API_READY)
        except TimeoutError as error:
            log = plane.layout.program("apiserver")
            raise ArmError(
                500, "ControlPlaneNotReady", f"{error}. `sandbox logs {log}` says more."
            ) from error

    async def _stop_controllers(self, key: str) -> None:
        if key in self._controllers:
            await self._controllers.pop(key).stop()

    def _wake(self, layout: ClusterLayout) -> None:
        if layout.key in self._controllers:
            self._controllers[layout.key].wake()

    async def _start(self, *programs: Program) -> None:
        """All at once; those that need each other try again."""
        await asyncio.gather(*(self._services.supervisor.start(program) for program in programs))

    async def _stop_programs(self, *names: str) -> None:
        for name in names:
            await self._services.supervisor.stop(name)

    async def _import_images(self, layout: NodeLayout) -> None:
        images = Toolchain.load(self._services.config).images
        deadline = time.monotonic() + _CONTAINERD_READY
        while True:
            try:
                await asyncio.to_thread(containerd.import_images, layout, images)
            except CommandError:
                # containerd takes a moment to listen.
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_LOOK)
            else:
                return

    def _route(self, plane: ControlPlane) -> None:
        """Have every namespace of the cluster reach the pods of every (other) node."""
        pods, nodes = plane.settings.pods, plane.layout.nodes()
        gateways = {node.pod_network(pods): node.address for node in nodes}
        machines: list[ClusterLayout | NodeLayout] = [plane.layout, *nodes]
        for machine in machines:
            others = {pods: gateway for pods, gateway in gateways.items() if gateway != machine.address}
            network.route(machine.netns, others)

    def _node(self, cluster: Resource, layout: NodeLayout) -> Node:
        pool = self._services.store.get(f"{cluster.id}/agentPools/{layout.pool}")
        # A creation that was cut short may have left a node without a stored pool.
        properties = pool.properties if pool else bodies.pool({"vmSize": "unknown"}, "")
        return Node(self.plane(cluster), layout, read_pool(layout.pool, properties))

    async def _destroy(self, cluster: Resource, layout: NodeLayout) -> None:
        machine = self._node(cluster, layout)
        await self._stop_programs(*reversed(machine.program_names()))
        await asyncio.to_thread(machine.destroy)
        await asyncio.to_thread(layout.remove)
