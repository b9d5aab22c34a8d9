"""Keeps the nodes' rules as the cluster's policies, namespaces and pods are.

Whether policies are in force at all is the cluster's choice, as on AKS (`networkProfile.networkPolicy`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

from sandbox.aks.addons import INGRESS_NAMESPACE
from sandbox.aks.api import Api
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.layout import NodeLayout
from sandbox.aks.loop import Loop
from sandbox.aks.networkpolicy import objects, rendering
from sandbox.aks.networkpolicy.announcements import Announcements, Round
from sandbox.aks.networkpolicy.isolation import Cluster
from sandbox.aks.networkpolicy.objects import Pod
from sandbox.aks.networkpolicy.rendering import NodeRules
from sandbox.aks.shell import run
from sandbox.host import netns

_WATCHED = ("/apis/networking.k8s.io/v1/networkpolicies", "/api/v1/namespaces", "/api/v1/pods")
#: Seconds between two looks when nothing seems to change.
_RESYNC = 60.0


class NetworkPolicies:
    """One cluster's controller; `changed` is set when there is something to do."""

    def __init__(self, plane: ControlPlane, api: Api, changed: asyncio.Event) -> None:
        self._plane = plane
        self._api = api
        self._changed = changed
        self._announcements = Announcements(changed)
        self._loaded: dict[str, tuple[int, str]] = {}

    @property
    def watched(self) -> tuple[str, ...]:
        """Whose changes matter."""
        return _WATCHED if self._plane.settings.network_policy else ()

    async def run(self) -> None:
        """Until it is cancelled."""
        name = f"cluster {self._plane.settings.name}, network policies"
        async with self._announcements.listening(self._plane.layout.policy_socket):
            await Loop(name, self._changed, self.reconcile).run()

    async def reconcile(self) -> float:
        """One round: everything that was announced before it is in force after it."""
        this = self._announcements.begin()
        try:
            engine = self._plane.settings.network_policy
            scripts = await self._scripts(engine, this) if engine else self._nothing()
            for node, script in scripts.items():
                await asyncio.to_thread(self._load, node, script)
        except BaseException:
            self._announcements.put_back(this)
            raise
        self._announcements.end(this)
        return _RESYNC

    def _nothing(self) -> dict[str, str]:
        return {node.netns: rendering.none() for node in self._plane.layout.nodes()}

    async def _scripts(self, engine: str, this: Round) -> dict[str, str]:
        """Namespace of each node -> its rules."""
        policies, namespaces, listed = [(await self._api.get(path))["items"] for path in _WATCHED]
        nodes = self._plane.layout.nodes()
        self._announcements.forget(this, listed)
        pods = [*objects.pods(listed, self._announcements.addresses), *self._hosted(nodes)]
        cluster = Cluster(
            pods,
            {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in namespaces},
            [objects.policy(one) for one in policies],
            self._inside(nodes) if engine == "cilium" else (),
        )
        return {node.netns: rendering.render(self._rules(node), cluster) for node in nodes}

    def _rules(self, node: NodeLayout) -> NodeRules:
        share = self._plane.settings.pods
        return NodeRules(node.name, node.pod_network(share), (node.ingress_address(share),))

    def _hosted(self, nodes: Sequence[NodeLayout]) -> Iterator[Pod]:
        """The ingress controller, a program of the first node, in the place of the pods that AKS runs."""
        for node in nodes[:1] if self._plane.settings.app_routing else ():
            address = node.ingress_address(self._plane.settings.pods)
            yield Pod(INGRESS_NAMESPACE, "nginx", {"app": "nginx"}, address, node.name, {})

    def _inside(self, nodes: Sequence[NodeLayout]) -> tuple[IPv4Network, ...]:
        return (self._plane.settings.pods, *(IPv4Network(node.address) for node in nodes))

    def _load(self, namespace: str, script: str) -> None:
        """A namespace that is made anew (it has another inode) has lost its rules."""
        if not netns.exists(namespace):
            self._loaded.pop(namespace, None)
            return
        wanted = (netns.inode(namespace), script)
        if self._loaded.get(namespace) != wanted:
            run("nsenter", f"--net={netns.path(namespace)}", "nft", "-f", "-", stdin=script)
            self._loaded[namespace] = wanted
