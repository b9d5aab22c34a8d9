"""Who may talk to whom: every way into and out of a pod is a NetworkPolicy with a name of its own.

The namespace denies everything; each policy here lets one thing through. `kubectl get networkpolicy` is the
list of all that is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

# Carrier-grade NAT and link-local addresses (the instance metadata service among them) beside RFC 1918.
PRIVATE_RANGES = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
# Where clients that connect from inside Azure are redirected to.
# https://learn.microsoft.com/azure/azure-sql/database/connectivity-architecture#connection-policy
_SQL_REDIRECTS = (11000, 11999)
_SQL_PORTS = {"mssql": [(1433, 1433), _SQL_REDIRECTS], "postgresql": [(5432, 5432)]}


@dataclass(frozen=True)
class Range:
    """Addresses in CIDR notation, but for those in `excluding`."""

    cidr: str
    excluding: Sequence[str] = ()


INTERNET = Range("0.0.0.0/0", PRIVATE_RANGES)


@dataclass(frozen=True)
class Way:
    """A way out of a pod; `ports` are TCP, from the first to the last."""

    name: str
    ranges: Sequence[Range]
    ports: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Reach:
    """Where what the pods call is: `services` are Azure's, private endpoints or public; `identity` Entra ID,
    `telemetry` Application Insights.

    Those two have no private endpoint here. Network policies know addresses and not names, so what is public
    is all of the internet; the network's security groups and roles narrow it.
    """

    services: Sequence[Range] = (INTERNET,)
    identity: Sequence[Range] = (INTERNET,)
    telemetry: Sequence[Range] = (INTERNET,)

    def to_identity(self) -> Way:
        return Way("identity", self.identity, [(443, 443)])

    def to_telemetry(self) -> Way:
        return Way("telemetry", self.telemetry, [(443, 443)])

    def to_services(self) -> Way:
        return Way("services", self.services, [(443, 443)])

    def to_sql(self, dialect: Literal["mssql", "postgresql"]) -> Way:
        return Way("sql", self.services, _SQL_PORTS[dialect])


@dataclass(frozen=True)
class Pods:
    """Pods with these labels, or all of their namespace; `name` is what policies call them."""

    name: str
    namespace: str
    labels: Mapping[str, str]


# https://learn.microsoft.com/azure/aks/app-routing
INGRESS_CONTROLLER = Pods("ingress", "app-routing-system", {})
# The add-on's replicas, which run the scrape jobs of our own; those on each node run only the add-on's.
# https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration
PROMETHEUS = Pods("prometheus", "kube-system", {"rsName": "ama-metrics"})


def deny_all(namespace: str, opts: pulumi.ResourceOptions) -> k8s.networking.v1.NetworkPolicy:
    """What no other policy lets through is refused, in both directions."""
    spec = NetworkPolicySpecArgs(pod_selector=LabelSelectorArgs(), policy_types=["Ingress", "Egress"])
    return _policy("default-deny", namespace, spec, opts)


def allow_dns(namespace: str, opts: pulumi.ResourceOptions) -> k8s.networking.v1.NetworkPolicy:
    """Every pod may resolve names, at the cluster's resolver only."""
    resolver = Pods("dns", "kube-system", {"k8s-app": "kube-dns"})
    spec = NetworkPolicySpecArgs(
        pod_selector=LabelSelectorArgs(),
        policy_types=["Egress"],
        egress=[
            NetworkPolicyEgressRuleArgs(
                to=[_peer(resolver)],
                ports=[NetworkPolicyPortArgs(protocol=protocol, port=53) for protocol in ("UDP", "TCP")],
            )
        ],
    )
    return _policy("to-dns", namespace, spec, opts)


def allow_out(pods: Pods, way: Way, opts: pulumi.ResourceOptions) -> k8s.networking.v1.NetworkPolicy:
    """Let the pods go this way."""
    spec = NetworkPolicySpecArgs(
        pod_selector=LabelSelectorArgs(match_labels=dict(pods.labels)),
        policy_types=["Egress"],
        egress=[
            NetworkPolicyEgressRuleArgs(
                to=[NetworkPolicyPeerArgs(ip_block=_block(part)) for part in way.ranges],
                ports=[_ports(first, last) for first, last in way.ports],
            )
        ],
    )
    return _policy(f"{pods.name}-to-{way.name}", pods.namespace, spec, opts)


def allow_in(
    pods: Pods, caller: Pods, port: int, opts: pulumi.ResourceOptions
) -> k8s.networking.v1.NetworkPolicy:
    """Let the caller, of whichever namespace, reach one port of the pods."""
    spec = NetworkPolicySpecArgs(
        pod_selector=LabelSelectorArgs(match_labels=dict(pods.labels)),
        policy_types=["Ingress"],
        ingress=[NetworkPolicyIngressRuleArgs(from_=[_peer(caller)], ports=[_ports(port, port)])],
    )
    return _policy(f"{pods.name}-from-{caller.name}", pods.namespace, spec, opts)


def _policy(
    name: str, namespace: str, spec: NetworkPolicySpecArgs, opts: pulumi.ResourceOptions
) -> k8s.networking.v1.NetworkPolicy:
    metadata = ObjectMetaArgs(name=name, namespace=namespace)
    return k8s.networking.v1.NetworkPolicy(name, metadata=metadata, spec=spec, opts=opts)


def _peer(caller: Pods) -> NetworkPolicyPeerArgs:
    name = {"kubernetes.io/metadata.name": caller.namespace}
    return NetworkPolicyPeerArgs(
        namespace_selector=LabelSelectorArgs(match_labels=name),
        pod_selector=LabelSelectorArgs(match_labels=dict(caller.labels)) if caller.labels else None,
    )


def _block(part: Range) -> IPBlockArgs:
    return IPBlockArgs(cidr=part.cidr, except_=list(part.excluding) or None)


def _ports(first: int, last: int) -> NetworkPolicyPortArgs:
    end = last if last > first else None
    return NetworkPolicyPortArgs(protocol="TCP", port=first, end_port=end)
