"""What Kubernetes says of network policies, on the API's own objects, one packet at a time.

https://kubernetes.io/docs/concepts/services-networking/network-policies. Written for clarity and apart from
the product: it is what the product is held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Packet:
    """The first one of a connection."""

    source: str
    target: str
    protocol: str
    port: int


@dataclass(frozen=True)
class World:
    """`blocks_mean_pods`: whether an ipBlock can select addresses of pods (not with Cilium)."""

    pods: list[Json]
    namespaces: dict[str, Json]
    policies: list[Json]
    blocks_mean_pods: bool = False

    def passes(self, packet: Packet) -> bool:
        if packet.source == packet.target:
            return True
        sender, receiver = self.pod(packet.source), self.pod(packet.target)
        out = sender is None or self._allowed("Egress", sender, packet)
        into = receiver is None or self._allowed("Ingress", receiver, packet)
        return out and into

    def pod(self, address: str) -> Json | None:
        return next((one for one in self.pods if one["status"]["podIP"] == address), None)

    def _allowed(self, direction: str, pod: Json, packet: Packet) -> bool:
        mine = [
            policy["spec"]
            for policy in self.policies
            if policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
            and direction in policy["spec"]["policyTypes"]
            and fits(policy["spec"]["podSelector"], pod["metadata"]["labels"])
        ]
        if not mine:
            return True
        key = direction.lower()
        return any(
            self._rule(rule, direction, pod["metadata"]["namespace"], packet)
            for spec in mine
            for rule in spec.get(key) or []
        )

    def _rule(self, rule: Json, direction: str, namespace: str, packet: Packet) -> bool:
        other = packet.source if direction == "Ingress" else packet.target
        peers = rule.get("from" if direction == "Ingress" else "to") or []
        if peers and not any(self._peer(peer, namespace, other) for peer in peers):
            return False
        ports = rule.get("ports") or []
        return not ports or any(self._port(port, packet) for port in ports)

    def _peer(self, peer: Json, namespace: str, address: str) -> bool:
        pod = self.pod(address)
        if "ipBlock" in peer:
            if pod is not None and not self.blocks_mean_pods:
                return False
            block = peer["ipBlock"]
            inside = ip_address(address) in ip_network(block["cidr"])
            return inside and not any(
                ip_address(address) in ip_network(one) for one in block.get("except") or []
            )
        if pod is None:
            return False
        home = pod["metadata"]["namespace"]
        if "namespaceSelector" in peer:
            if not fits(peer["namespaceSelector"], self.namespaces[home]):
                return False
        elif home != namespace:
            return False
        return fits(peer.get("podSelector") or {}, pod["metadata"]["labels"])

    def _port(self, port: Json, packet: Packet) -> bool:
        if port.get("protocol", "TCP") != packet.protocol:
            return False
        wanted = port.get("port")
        if wanted is None:
            return True
        if isinstance(wanted, str):
            receiver = self.pod(packet.target)
            return receiver is not None and any(
                one.get("name") == wanted
                and one.get("protocol", "TCP") == packet.protocol
                and one["containerPort"] == packet.port
                for container in receiver["spec"]["containers"]
                for one in container.get("ports") or []
            )
        first = int(wanted)
        return first <= packet.port <= int(port.get("endPort") or first)


def fits(selector: Json, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for one in selector.get("matchExpressions") or []:
        has, value = one["key"] in labels, labels.get(one["key"])
        holds = {
            "In": has and value in one.get("values", []),
            "NotIn": not has or value not in one.get("values", []),
            "Exists": has,
            "DoesNotExist": not has,
        }[one["operator"]]
        if not holds:
            return False
    return True
