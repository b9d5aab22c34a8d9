"""One node's isolation as an nftables table, to be put in the place of the one before in a single step.

It sees packets after kube-proxy's address translation, so that rules are held against pods and not against
services. Pods of a node are routed, not bridged: those next to each other are filtered like any others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from sandbox.aks.network import IMDS
from sandbox.aks.networkpolicy.isolation import DIRECTIONS, Allowance, Cluster, Ports
from sandbox.aks.networkpolicy.objects import Direction, Pod

TABLE = "network_policy"
_EVERYTHING = IPv4Network("0.0.0.0/0")
#: The other end of a packet, seen from the pod.
_OTHER: dict[Direction, str] = {"Ingress": "ip saddr", "Egress": "ip daddr"}


#: A packet is judged where it leaves a pod first, then where it arrives.
_OWN: tuple[tuple[Direction, str], ...] = (("Egress", "ip saddr"), ("Ingress", "ip daddr"))


@dataclass(frozen=True)
class NodeRules:
    """Where the rules are for: the node's name, its share of the pods' network, and the addresses of pods
    that run as programs of the node itself."""

    node: str
    pods: IPv4Network
    hosted: tuple[IPv4Address, ...] = ()


def render(node: NodeRules, cluster: Cluster) -> str:
    """An nft script."""
    local = sorted((pod for pod in cluster.pods if pod.node == node.node), key=lambda pod: pod.address)
    chains: dict[Direction, dict[IPv4Address, list[str]]] = {"Ingress": {}, "Egress": {}}
    for pod in local:
        for direction in DIRECTIONS:
            allowed = cluster.allowances(pod, direction)
            if allowed is not None:
                chains[direction][pod.address] = _chain(direction, pod, allowed)
    lines = [
        *(line for direction in DIRECTIONS for chain in chains[direction].values() for line in chain),
        *_decide(chains),
        *_forward(node, local),
        *_input(node, local),
        *_output(node),
    ]
    return "\n".join(
        [f"table ip {TABLE} {{}}", f"delete table ip {TABLE}", f"table ip {TABLE} {{", *lines, "}", ""]
    )


def none() -> str:
    """The script that lets everything pass."""
    return f"table ip {TABLE} {{}}\ndelete table ip {TABLE}\n"


def _name(direction: Direction, address: IPv4Address) -> str:
    return f"{direction.lower()}_{str(address).replace('.', '_')}"


def _chain(direction: Direction, pod: Pod, allowed: Sequence[Allowance]) -> list[str]:
    """What is allowed returns to whoever called; the rest ends here."""
    matches = dict.fromkeys(
        match
        for one in allowed
        for other in _others(direction, one)
        for match in (" ".join(filter(None, (other, port, "return"))) for port in _ports(one.ports))
    )
    return [
        f"chain {_name(direction, pod.address)} {{",
        f"# {pod.namespace}/{pod.name}",
        *matches,
        "drop",
        "}",
    ]


def _others(direction: Direction, allowance: Allowance) -> Iterator[str]:
    field = _OTHER[direction]
    if allowance.addresses is not None:
        yield f"{field} {{ {_elements(allowance.addresses)} }}"
    elif allowance.range is None:
        yield ""
    else:
        excluded = [one for one in allowance.excluded if one.overlaps(allowance.range)]
        if any(allowance.range.subnet_of(one) for one in excluded):
            return
        inside = [] if allowance.range == _EVERYTHING else [f"{field} {allowance.range}"]
        apart = ", ".join(map(str, collapse_addresses(excluded)))
        yield " ".join([*inside, *([f"{field} != {{ {apart} }}"] if apart else [])])


def _ports(ports: frozenset[Ports] | None) -> Iterator[str]:
    if ports is None:
        yield ""
        return
    by_protocol: dict[str, list[Ports]] = defaultdict(list)
    for one in ports:
        by_protocol[one.protocol.lower()].append(one)
    for protocol, listed in sorted(by_protocol.items()):
        if any(one.first == 0 for one in listed):
            yield f"meta l4proto {protocol}"
        else:
            yield f"{protocol} dport {{ {', '.join(_merged(listed))} }}"


def _merged(listed: Sequence[Ports]) -> Iterator[str]:
    """Ranges that do not overlap: nftables refuses a set in which some do."""
    ends: list[tuple[int, int]] = []
    for first, last in sorted((one.first, one.last) for one in listed):
        if ends and first <= ends[-1][1] + 1:
            ends[-1] = (ends[-1][0], max(ends[-1][1], last))
        else:
            ends.append((first, last))
    for first, last in ends:
        yield str(first) if first == last else f"{first}-{last}"


def _decide(chains: dict[Direction, dict[IPv4Address, list[str]]]) -> Iterator[str]:
    """Both ends must allow a packet, where they are isolated."""
    yield "chain decide {"
    for direction, field in _OWN:
        jumps = [f"{address} : jump {_name(direction, address)}" for address in chains[direction]]
        if jumps:
            yield f"{field} vmap {{ {', '.join(jumps)} }}"
    yield "}"


def _forward(node: NodeRules, local: Sequence[Pod]) -> list[str]:
    itself = ", ".join(f"{pod.address} . {pod.address}" for pod in local)
    return [
        "chain forward {",
        "type filter hook forward priority filter;",
        "ct state established,related accept",
        # A pod may always call itself, also through a service.
        *([f"ip saddr . ip daddr {{ {itself} }} accept"] if itself else []),
        *(f"{field} {node.pods} {_unknown(field, local)}drop" for field in ("ip saddr", "ip daddr")),
        "jump decide",
        "}",
    ]


def _input(node: NodeRules, local: Sequence[Pod]) -> list[str]:
    """A pod's own node is always open to it, but for what is no part of the node on Azure."""
    return [
        "chain input {",
        "type filter hook input priority filter;",
        "ct state established,related accept",
        f"ip daddr != {{ {_elements((IMDS, *node.hosted))} }} accept",
        f"ip saddr {node.pods} {_unknown('ip saddr', local)}drop",
        "jump decide",
        "}",
    ]


def _output(node: NodeRules) -> list[str]:
    """The node itself (kubelet's probes) always reaches its pods."""
    if not node.hosted:
        return []
    return [
        "chain output {",
        "type filter hook output priority filter;",
        "ct state established,related accept",
        f"ip saddr != {{ {_elements(node.hosted)} }} accept",
        "jump decide",
        "}",
    ]


def _unknown(field: str, local: Sequence[Pod]) -> str:
    """A pod that was not looked up yet is closed."""
    return f"{field} != {{ {_elements(pod.address for pod in local)} }} " if local else ""


def _elements(addresses: Iterator[IPv4Address] | Sequence[IPv4Address] | frozenset[IPv4Address]) -> str:
    return ", ".join(map(str, sorted(addresses)))
