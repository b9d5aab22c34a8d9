"""Everything that is to be in force, computed from what is stored. Pure but for the endpoints' addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from sandbox.aks.layout import existing
from sandbox.arm.resource import Resource, ResourceId
from sandbox.config import Config
from sandbox.network import apiservers, endpoints, places, resolution
from sandbox.network.apiservers import Gate
from sandbox.network.endpoints import Endpoint, Ways
from sandbox.network.places import Machine
from sandbox.services import Store


@dataclass(frozen=True)
class View:
    """What the machines at `clients` resolve otherwise than everybody else."""

    network: str
    clients: tuple[IPv4Address, ...]
    names: Mapping[str, IPv4Address]


@dataclass(frozen=True)
class Plan:
    """`ways`: (node, address in its network) -> where the endpoint there is in the sandbox. `outbound`: node
    -> the address that the internet sees. `host_names`: what the host, which is joined to every network,
    resolves otherwise than the internet. `balanced`: load balancers that the internet reaches."""

    views: tuple[View, ...] = ()
    ways: Mapping[tuple[IPv4Address, IPv4Address], IPv4Address] = field(default_factory=dict)
    outbound: Mapping[IPv4Address, IPv4Address] = field(default_factory=dict)
    host_names: Mapping[str, IPv4Address] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    balanced: tuple[tuple[IPv4Address, IPv4Address], ...] = ()


def compute(config: Config, store: Store, gone: Collection[ResourceId] = ()) -> Plan:
    """`gone` are stored resources that are about to be removed."""

    def stored(type_name: str) -> Iterator[Resource]:
        return (one for one in store.list(type=type_name) if one.id not in gone)

    nodes = list(places.machines(config, store))
    ways_in = list(endpoints.read(store, stored(endpoints.TYPE), Ways(config)))
    names = resolution.linked(stored(resolution.LINKS), stored(resolution.RECORDS))
    resolution.add_listeners(names, stored(resolution.FAILOVER_GROUPS))
    gates = tuple(apiservers.gates(config, store, nodes))
    for gate in gates:
        if gate.private_name is not None:
            for network in gate.networks:
                names.setdefault(network, {})[gate.private_name] = gate.address
    return Plan(
        views=tuple(_views(names, nodes)),
        ways=_ways(ways_in, nodes),
        outbound={node.address: node.place.public for node in nodes},
        host_names=_host_names(names, ways_in, config.network),
        gates=gates,
        balanced=tuple((one.load_balancers[0], one.load_balancers[-1]) for one in existing(config)),
    )


def _views(names: Mapping[str, resolution.Names], nodes: list[Machine]) -> Iterator[View]:
    clients: dict[str, list[IPv4Address]] = defaultdict(list)
    for node in nodes:
        if node.place.network is not None and node.place.network in names:
            clients[node.place.network].append(node.address)
    for network, members in sorted(clients.items()):
        yield View(network, tuple(sorted(members)), dict(sorted(names[network].items())))


def _ways(
    ways_in: list[Endpoint], nodes: list[Machine]
) -> dict[tuple[IPv4Address, IPv4Address], IPv4Address]:
    return {
        (node.address, endpoint.address): endpoint.way
        for endpoint in ways_in
        for node in nodes
        if node.place.network == endpoint.network
    }


def _host_names(
    names: Mapping[str, resolution.Names], ways_in: list[Endpoint], sandbox: IPv4Network
) -> dict[str, IPv4Address]:
    """Networks may say different things of a name; the first that leads somewhere is taken."""
    ways = {(endpoint.network, endpoint.address): endpoint.way for endpoint in ways_in}
    found: dict[str, IPv4Address] = {}
    for network, known in sorted(names.items()):
        for name, address in known.items():
            way = address if address in sandbox else ways.get((network, address))
            if way is not None:
                found.setdefault(name, way)
    return dict(sorted(found.items()))
