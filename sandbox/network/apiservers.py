"""Who reaches a cluster's API server: everybody, authorized ranges, or only its own virtual network.

https://learn.microsoft.com/azure/aks/private-clusters and .../api-server-authorized-ip-ranges. The host is
joined to every network, and Azure itself is always let in, as is the cluster's own load on its nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from sandbox.aks.layout import ClusterLayout, existing
from sandbox.config import Config
from sandbox.network import addresses, places
from sandbox.network.places import Machine
from sandbox.services import Store


@dataclass(frozen=True)
class Gate:
    """Of the API server at `address`, in namespace `netns`. `sources` None lets everybody in;
    `on_the_internet`: packets from there get as far as the gate. `private_name` is what it is called in
    `networks`, where it is private."""

    netns: str
    address: IPv4Address
    sources: tuple[IPv4Network, ...] | None
    on_the_internet: bool
    private_name: str | None
    networks: tuple[str, ...]


def gates(config: Config, store: Store, nodes: Sequence[Machine]) -> Iterator[Gate]:
    for cluster in existing(config):
        resource = store.get(cluster.id)
        if resource is not None:
            yield _gate(config, store, cluster, resource.properties, nodes)


def _gate(
    config: Config,
    store: Store,
    cluster: ClusterLayout,
    properties: Mapping[str, Any],
    nodes: Sequence[Machine],
) -> Gate:
    profile = properties.get("apiServerAccessProfile") or {}
    private = bool(profile.get("enablePrivateCluster"))
    ranges = [IPv4Network(one, strict=False) for one in profile.get("authorizedIPRanges") or ()]
    networks = tuple(sorted(places.networks_of(store, cluster.id)))
    always = [_single(one) for one in (config.gateway, cluster.address)]
    own = [_single(node.address) for node in nodes if node.cluster.id == cluster.id]
    if private:
        near = [_single(node.address) for node in nodes if node.place.network in networks]
        sources = [*always, _single(config.host_address), *own, *near]
    elif ranges:
        known = {config.host_address: addresses.OPERATOR}
        known |= {node.address: node.place.public for node in nodes}
        listed = [
            _single(address) for address, public in known.items() if any(public in one for one in ranges)
        ]
        sources = [*always, *own, *listed, *ranges]
    else:
        sources = []
    return Gate(
        cluster.netns,
        cluster.address,
        tuple(sorted(set(sources))) or None,
        not private,
        properties.get("privateFQDN") if private else None,
        networks,
    )


def _single(address: IPv4Address) -> IPv4Network:
    return IPv4Network(address)
