"""What each isolated pod may receive and send, by addresses and ports.

https://kubernetes.io/docs/concepts/services-networking/network-policies: a pod is isolated in a direction as
soon as a policy of that direction selects it; policies add up, in no order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from sandbox.aks.networkpolicy.objects import Direction, Peer, Pod, Policy, Port, Rule
from sandbox.aks.networkpolicy.selectors import Labels

DIRECTIONS: tuple[Direction, ...] = ("Ingress", "Egress")
_LAST = 65535


@dataclass(frozen=True, order=True)
class Ports:
    """Of one protocol, both ends included; `first` 0 is every port."""

    protocol: str
    first: int
    last: int


@dataclass(frozen=True)
class Allowance:
    """Traffic with these others (None: anybody) at these ports (None: of every protocol). Others are
    addresses, or a range without what is excluded from it."""

    addresses: frozenset[IPv4Address] | None = None
    range: IPv4Network | None = None
    excluded: tuple[IPv4Network, ...] = ()
    ports: frozenset[Ports] | None = None

    @property
    def anybody(self) -> bool:
        return self.addresses is None and self.range is None


@dataclass(frozen=True)
class Cluster:
    """`namespaces`: name -> labels. Blocks never mean what is in `inside`: with Cilium, they cannot select
    pods and nodes. https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"""

    pods: Sequence[Pod]
    namespaces: Mapping[str, Labels]
    policies: Sequence[Policy]
    inside: tuple[IPv4Network, ...] = field(default=())

    def allowances(self, pod: Pod, direction: Direction) -> list[Allowance] | None:
        """None: the pod is not isolated."""
        selecting = [one for one in self.policies if one.isolates(pod, direction)]
        if not selecting:
            return None
        return [
            allowance
            for policy in selecting
            for rule in policy.rules[direction]
            for allowance in self._allowances(policy, rule, pod, direction)
        ]

    def _allowances(self, policy: Policy, rule: Rule, pod: Pod, direction: Direction) -> Iterator[Allowance]:
        peers = rule.peers
        chosen = self.pods if peers is None else [one for one in self.pods if self._fits(policy, peers, one)]
        if direction == "Ingress" or rule.ports is None:
            ports = _resolve(rule.ports, pod)
            if ports is None or ports:
                yield from self._others(peers, chosen, ports)
            return
        # A port's name means another number in every pod that is sent to, and nothing elsewhere.
        numbers = [port for port in rule.ports if not isinstance(port.first, str)]
        if numbers:
            yield from self._others(peers, chosen, _resolve(numbers, pod))
        names = [port for port in rule.ports if isinstance(port.first, str)]
        by_ports: dict[frozenset[Ports], set[IPv4Address]] = defaultdict(set)
        for one in chosen if names else ():
            by_ports[_resolve(names, one) or frozenset()].add(one.address)
        for resolved, addresses in by_ports.items():
            if resolved:
                yield Allowance(addresses=frozenset(addresses), ports=resolved)

    def _others(
        self, peers: Sequence[Peer] | None, chosen: Sequence[Pod], ports: frozenset[Ports] | None
    ) -> Iterator[Allowance]:
        if peers is None:
            yield Allowance(ports=ports)
            return
        if chosen:
            yield Allowance(addresses=frozenset(one.address for one in chosen), ports=ports)
        for peer in peers:
            if peer.block is not None:
                excluded = (*peer.block.excluded, *self.inside)
                yield Allowance(range=peer.block.range, excluded=excluded, ports=ports)

    def _fits(self, policy: Policy, peers: Sequence[Peer], pod: Pod) -> bool:
        return any(peer.block is None and self._selects(policy, peer, pod) for peer in peers)

    def _selects(self, policy: Policy, peer: Peer, pod: Pod) -> bool:
        if peer.namespaces is None:
            here = pod.namespace == policy.namespace
        else:
            here = peer.namespaces.fits(self.namespaces.get(pod.namespace, {}))
        return here and peer.pods.fits(pod.labels)


def _resolve(ports: Sequence[Port] | None, pod: Pod) -> frozenset[Ports] | None:
    """Numbers of ports; names are those of `pod`'s containers. None is every protocol."""
    if ports is None:
        return None
    found = set()
    for port in ports:
        if port.first is None:
            found.add(Ports(port.protocol, 0, _LAST))
        elif isinstance(port.first, str):
            number = pod.ports.get((port.protocol, port.first))
            if number is not None:
                found.add(Ports(port.protocol, number, number))
        else:
            found.add(Ports(port.protocol, port.first, port.last or port.first))
    return frozenset(found)
