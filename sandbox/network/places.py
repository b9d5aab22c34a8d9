"""Where clients stand, told from the addresses that their packets come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from sandbox.aks.layout import ClusterLayout, existing
from sandbox.arm.resource import Resource
from sandbox.config import Config
from sandbox.network import addresses
from sandbox.services import Store

_POOLS = "Microsoft.ContainerService/managedClusters/agentPools"


@dataclass(frozen=True)
class Place:
    """`network` is the key of the virtual network (a cluster without one has a network of its own, named by
    the cluster), `subnet` the key of the subnet. `public` is the address that the internet sees. `azure`: one
    of the local Azure's own services."""

    public: IPv4Address
    network: str | None = None
    subnet: str | None = None
    azure: bool = False


@dataclass(frozen=True)
class Machine:
    """A cluster's node: its address in the sandbox, and where it stands."""

    address: IPv4Address
    cluster: ClusterLayout
    place: Place


def machines(config: Config, store: Store) -> Iterator[Machine]:
    """Every node of every cluster."""
    for cluster in existing(config):
        for node in cluster.nodes():
            pool = store.get(f"{cluster.id}/agentPools/{node.pool}")
            subnet = _subnet(pool)
            network = subnet.rpartition("/subnets/")[0] if subnet else cluster.id.lower()
            public = _outbound(store, subnet) or addresses.CLUSTERS[cluster.number + 1]
            yield Machine(node.address, cluster, Place(public, network, subnet))


def networks_of(store: Store, cluster: str) -> set[str]:
    """Networks that a cluster's nodes stand in, whether or not any runs."""
    pools = store.list(type=_POOLS, under=cluster)
    subnets = {_subnet(pool) for pool in pools}
    return {subnet.rpartition("/subnets/")[0] if subnet else cluster.lower() for subnet in subnets}


def place(config: Config, store: Store, peer: IPv4Address) -> Place:
    """Where whoever calls from `peer` stands. An address that is nobody's stands on the internet."""
    if peer == config.host_address:
        return Place(addresses.OPERATOR)
    # What calls from the gateway's own namespace is a service of the local Azure: a build, a delivery.
    if peer.is_loopback or peer == config.gateway or peer in addresses.endpoints(config):
        return Place(addresses.SERVICES, azure=True)
    found = next((one for one in machines(config, store) if one.address == peer), None)
    return found.place if found else Place(peer)


def _subnet(pool: Resource | None) -> str | None:
    subnet = pool.properties.get("vnetSubnetID") if pool else None
    return str(subnet).strip("/").lower().join(("/", "")) if subnet else None


def _outbound(store: Store, subnet: str | None) -> IPv4Address | None:
    """The first address of the NAT gateway that a subnet's machines leave through."""
    found = store.get(subnet) if subnet else None
    gateway = _referred(store, found, "natGateway")
    if gateway is None:
        return None
    for one in gateway.properties.get("publicIpAddresses") or ():
        address = store.get(str(one.get("id")))
        if address is not None and address.properties.get("ipAddress"):
            return IPv4Address(address.properties["ipAddress"])
    return None


def _referred(store: Store, resource: Resource | None, name: str) -> Resource | None:
    reference: dict[str, Any] = (resource.properties.get(name) or {}) if resource else {}
    return store.get(str(reference["id"])) if reference.get("id") else None
