"""Pods and policies as the API server answers them, reduced to what decides about packets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any, Literal

from sandbox.aks.networkpolicy import selectors
from sandbox.aks.networkpolicy.selectors import Labels, Selector

Direction = Literal["Ingress", "Egress"]
Object = Mapping[str, Any]


@dataclass(frozen=True)
class Pod:
    """`ports`: (protocol, name) -> number. `node` is the Kubernetes node's name."""

    namespace: str
    name: str
    labels: Labels
    address: IPv4Address
    node: str
    ports: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Port:
    """`first` a number or the name of a container's port; None is every port of the protocol."""

    protocol: str
    first: int | str | None
    last: int | None


@dataclass(frozen=True)
class Block:
    range: IPv4Network
    excluded: tuple[IPv4Network, ...]


@dataclass(frozen=True)
class Peer:
    """A block of addresses, or pods: of the namespaces that fit (None: the policy's own)."""

    block: Block | None
    namespaces: Selector | None
    pods: Selector


@dataclass(frozen=True)
class Rule:
    """None stands for every peer and for every port."""

    peers: tuple[Peer, ...] | None
    ports: tuple[Port, ...] | None


@dataclass(frozen=True)
class Policy:
    namespace: str
    pods: Selector
    rules: Mapping[Direction, tuple[Rule, ...]]

    def isolates(self, pod: Pod, direction: Direction) -> bool:
        return direction in self.rules and pod.namespace == self.namespace and self.pods.fits(pod.labels)


def pods(items: Sequence[Object], announced: Mapping[str, IPv4Address]) -> list[Pod]:
    """Pods that have an address of their own: the one that their node announced (by their uid), which is
    newer, or the one in their status. Finished ones have given theirs back, and one that goes may have."""

    def age(item: Object) -> tuple[bool, bool, str]:
        meta = item["metadata"]
        return meta["uid"] in announced, "deletionTimestamp" not in meta, meta.get("creationTimestamp") or ""

    found: dict[IPv4Address, Pod] = {}
    for item in sorted(items, key=age):
        meta, spec, status = item["metadata"], item["spec"], item.get("status") or {}
        address = announced.get(meta["uid"]) or _address(status)
        if spec.get("hostNetwork") or address is None or status.get("phase") in {"Succeeded", "Failed"}:
            continue
        labels, ports = meta.get("labels") or {}, dict(_ports(spec))
        found[address] = Pod(
            meta["namespace"], meta["name"], labels, address, spec.get("nodeName") or "", ports
        )
    return list(found.values())


def policy(item: Object) -> Policy:
    spec = item["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    read: dict[Direction, tuple[Rule, ...]] = {}
    if "Ingress" in types:
        read["Ingress"] = tuple(_rule(one, "from") for one in spec.get("ingress") or ())
    if "Egress" in types:
        read["Egress"] = tuple(_rule(one, "to") for one in spec.get("egress") or ())
    return Policy(item["metadata"]["namespace"], selectors.read(spec.get("podSelector") or {}), read)


def _address(status: Object) -> IPv4Address | None:
    listed = [one.get("ip") for one in status.get("podIPs") or ()] or [status.get("podIP")]
    found = next((one for one in listed if one and ":" not in one), None)
    return IPv4Address(found) if found else None


def _ports(spec: Object) -> Iterator[tuple[tuple[str, str], int]]:
    # Sidecars are init containers that go on running.
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("name"):
                yield (port.get("protocol") or "TCP", port["name"]), port["containerPort"]


def _rule(rule: Object, peers: str) -> Rule:
    return Rule(
        tuple(_peer(one) for one in rule[peers]) if rule.get(peers) else None,
        tuple(_port(one) for one in rule["ports"]) if rule.get("ports") else None,
    )


def _peer(peer: Object) -> Peer:
    namespaces, chosen, block = (peer.get(key) for key in ("namespaceSelector", "podSelector", "ipBlock"))
    return Peer(
        _block(block) if block else None,
        selectors.read(namespaces) if namespaces is not None else None,
        selectors.read(chosen or {}),
    )


def _block(block: Object) -> Block | None:
    """None is nothing at all: no pod here has an IPv6 address."""
    found = ip_network(block["cidr"], strict=False)
    excluded = (ip_network(one, strict=False) for one in block.get("except") or ())
    if not isinstance(found, IPv4Network):
        return Block(IPv4Network("255.255.255.255/32"), (IPv4Network("255.255.255.255/32"),))
    return Block(found, tuple(one for one in excluded if isinstance(one, IPv4Network)))


def _port(port: Object) -> Port:
    return Port(port.get("protocol") or "TCP", port.get("port"), port.get("endPort"))
