"""Where one cluster lives: its number, folders, namespaces, cgroups and addresses.

A cluster's number (1 to 250) gives it one /24 of the sandbox's network: the control plane at .10, node n at
.10+n, public load balancers from .100, internal ones from .200. Numbers and node numbers are kept in
`cluster.json` and reused only after the cluster (or node) is gone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from sandbox.aks.files import write
from sandbox.config import Config
from sandbox.host.network import Node, node_netns

MAX_CLUSTERS = 250
MAX_NODES = 80
_CONTROL_PLANE = 10
_LOAD_BALANCERS, _INTERNAL = range(100, 200), range(200, 250)
#: Prefix length of one node's pod network, as AKS's overlay and kubenet have it.
NODE_PREFIX = 24


def digest(resource_id: str) -> str:
    """The name of a cluster's folder."""
    return hashlib.sha256(resource_id.lower().encode()).hexdigest()[:12]


@dataclass(frozen=True)
class NodeLayout:
    cluster: ClusterLayout
    pool: str
    number: int

    @property
    def name(self) -> str:
        """The Kubernetes node's name, formed as AKS forms a scale set instance's."""
        unique = int(self.cluster.key, 16) % 10**8
        return f"aks-{self.pool}-{unique:08d}-vmss000000"

    @property
    def folder(self) -> Path:
        return self.cluster.folder / "nodes" / str(self.number)

    @property
    def address(self) -> IPv4Address:
        return self.cluster.subnet[_CONTROL_PLANE + self.number]

    @property
    def machine(self) -> Node:
        """Its place on the sandbox's network."""
        return Node(f"aks{self.cluster.number}-{self.number}", self.address)

    @property
    def netns(self) -> str:
        return node_netns(self.cluster.config, self.machine.name)

    @property
    def mount_namespace(self) -> Path:
        return self.folder / "namespaces" / "mnt"

    @property
    def cgroup(self) -> str:
        return f"{self.cluster.config.cgroup}/aks{self.cluster.number}-{self.number}"

    def ingress_address(self, pods: IPv4Network) -> IPv4Address:
        """Of the ingress controller, which runs as a program of the node in the place of a pod: the last one
        of the node's share, which no pod is given."""
        return self.pod_network(pods)[-2]

    def pod_network(self, pods: IPv4Network) -> IPv4Network:
        """The node's share of the cluster's pod CIDR."""
        first = int(pods.network_address) + ((self.number - 1) << (32 - NODE_PREFIX))
        return IPv4Network((first, NODE_PREFIX))

    def remove(self) -> None:
        """Forget what the node kept; its machine is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name: str) -> str:
        """The supervised program's name."""
        return self.cluster.program(f"node{self.number}-{name}")


@dataclass(frozen=True)
class ClusterLayout:
    config: Config
    id: str
    number: int

    @property
    def key(self) -> str:
        return digest(self.id)

    @property
    def folder(self) -> Path:
        return clusters_folder(self.config) / self.key

    @property
    def subnet(self) -> IPv4Network:
        return IPv4Network((int(self.config.network.network_address) + (self.number << 8), 24))

    @property
    def address(self) -> IPv4Address:
        """The control plane's, where the API server listens on 443."""
        return self.subnet[_CONTROL_PLANE]

    @property
    def policy_socket(self) -> Path:
        """Where nodes announce their pods."""
        return self.folder / "policies.sock"

    @property
    def load_balancers(self) -> list[IPv4Address]:
        """Those that the internet reaches."""
        return [self.subnet[last] for last in _LOAD_BALANCERS]

    @property
    def internal_load_balancers(self) -> list[IPv4Address]:
        return [self.subnet[last] for last in _INTERNAL]

    @property
    def machine(self) -> Node:
        """The control plane's place on the sandbox's network."""
        return Node(f"aks{self.number}", self.address)

    @property
    def netns(self) -> str:
        return node_netns(self.config, self.machine.name)

    def program(self, name: str) -> str:
        return f"aks-{self.number}-{name}"

    def nodes(self) -> list[NodeLayout]:
        """By node number; the first carries the ingress controller."""
        numbers = _read(self.folder).get("nodes", {})
        return sorted(
            (NodeLayout(self, pool, n) for pool, n in numbers.items()), key=lambda node: node.number
        )

    def node(self, pool: str) -> NodeLayout:
        """The node of an agent pool; given a number the first time."""
        record = _read(self.folder)
        nodes = record.setdefault("nodes", {})
        if pool not in nodes:
            taken = set(nodes.values())
            nodes[pool] = next(n for n in range(1, MAX_NODES + 1) if n not in taken)
            _write(self.folder, record)
        return NodeLayout(self, pool, nodes[pool])

    def forget_node(self, pool: str) -> None:
        record = _read(self.folder)
        if record.get("nodes", {}).pop(pool, None) is not None:
            _write(self.folder, record)

    def remove(self) -> None:
        """Forget the cluster and free its number."""
        # The record goes last: while it is there, a repeated delete finds the rest.
        for child in self.folder.iterdir() if self.folder.is_dir() else ():
            if child.name != "cluster.json":
                shutil.rmtree(child) if child.is_dir() else child.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)


def clusters_folder(config: Config) -> Path:
    return config.state / "aks"


def existing(config: Config) -> Iterator[ClusterLayout]:
    for path in sorted(clusters_folder(config).glob("*/cluster.json")):
        record = json.loads(path.read_text())
        yield ClusterLayout(config, record["id"], record["number"])


def find(config: Config, resource_id: str) -> ClusterLayout | None:
    record = _read(clusters_folder(config) / digest(resource_id))
    return ClusterLayout(config, record["id"], record["number"]) if record else None


def allocate(config: Config, resource_id: str) -> ClusterLayout:
    """The cluster's layout; takes the lowest free number the first time. Raises LookupError when none is."""
    found = find(config, resource_id)
    if found is not None:
        return found
    taken = {layout.number for layout in existing(config)}
    number = next((n for n in range(1, MAX_CLUSTERS + 1) if n not in taken), None)
    if number is None:
        raise LookupError(f"{MAX_CLUSTERS} clusters exist already")
    layout = ClusterLayout(config, resource_id, number)
    _write(layout.folder, {"id": resource_id, "number": number, "nodes": {}})
    return layout


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "cluster.json"
    record: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return record


def _write(folder: Path, record: object) -> None:
    write(folder / "cluster.json", json.dumps(record, indent=2))
