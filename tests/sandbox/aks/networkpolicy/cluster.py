"""A small cluster on paper: two nodes, two namespaces, pods with labels and ports."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from sandbox.aks.networkpolicy import objects, rendering
from sandbox.aks.networkpolicy.isolation import Cluster
from sandbox.aks.networkpolicy.rendering import NodeRules
from tests.sandbox.aks.networkpolicy.nft import Flow, Table
from tests.sandbox.aks.networkpolicy.specification import Packet, World

Json = dict[str, Any]
PODS = IPv4Network("10.244.0.0/16")
#: Node -> its share of the pods' network.
NODES = {"one": IPv4Network("10.244.0.0/24"), "two": IPv4Network("10.244.1.0/24")}
OUTSIDE = ("192.0.2.1", "10.240.16.4", "10.77.1.10")


def pod(
    name: str,
    address: str,
    *,
    namespace: str = "agents",
    ports: list[Json] | None = None,
    **labels: str,
) -> Json:
    node = next(node for node, share in NODES.items() if IPv4Address(address) in share)
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": name, "labels": labels},
        "spec": {"nodeName": node, "containers": [{"ports": ports or []}]},
        "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]},
    }


def policy(
    selector: Json | None = None,
    *,
    namespace: str = "agents",
    ingress: list[Json] | None = None,
    egress: list[Json] | None = None,
) -> Json:
    """Of the directions that rules are given for."""
    given = {"ingress": ingress, "egress": egress}
    return {
        "metadata": {"namespace": namespace, "name": "policy"},
        "spec": {
            "podSelector": selector or {},
            "policyTypes": [key.title() for key, rules in given.items() if rules is not None],
            **{key: rules for key, rules in given.items() if rules is not None},
        },
    }


def tables(world: World, hosted: Mapping[str, tuple[IPv4Address, ...]] | None = None) -> dict[str, Table]:
    """Each node's rules, as the product renders them."""
    found = Cluster(
        (objects.pods(world.pods, {})),
        world.namespaces,
        [objects.policy(one) for one in world.policies],
        () if world.blocks_mean_pods else (PODS,),
    )
    return {
        node: Table.read(rendering.render(NodeRules(node, share, (hosted or {}).get(node, ())), found))
        for node, share in NODES.items()
    }


def passes(rendered: dict[str, Table], packet: Packet) -> bool:
    """Whether the rules let a packet through, on every node that it is forwarded by."""
    flow = Flow(packet.source, packet.target, packet.protocol.lower(), packet.port)
    if packet.source == packet.target:
        return True
    ends = (IPv4Address(packet.source), IPv4Address(packet.target))
    nodes = {node for node, share in NODES.items() if any(end in share for end in ends)}
    return all(rendered[node].passes("forward", flow) for node in nodes)
