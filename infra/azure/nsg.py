"""Network security groups: which traffic may enter a subnet, as rules with a name and a reason each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from infra.azure.place import Place
from infra.settings.sections import NetworkSettings

_FIRST, _STEP, _LAST = 100, 10, 4096


@dataclass(frozen=True)
class Rule:
    """Inbound traffic that is let in. Sources and destinations are ranges or service tags.

    https://learn.microsoft.com/azure/virtual-network/service-tags-overview
    """

    name: str
    why: str
    sources: Sequence[str]
    destinations: Sequence[str] = ("*",)
    ports: Sequence[str] = ("*",)
    protocol: network.SecurityRuleProtocol = network.SecurityRuleProtocol.TCP


def node_rules(settings: NetworkSettings) -> list[Rule]:
    """Callers reach the ingress's load balancer, which keeps its address as the destination.

    Pods have addresses of their own (overlay) that are not the network's, and what they send is not hidden
    inside the nodes' traffic, so nodes and pods are let through to each other by range.
    https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay
    """
    cluster = (settings.nodes, settings.pods)
    anything = network.SecurityRuleProtocol.ASTERISK
    return [
        Rule("allow-https", "Callers of the agents.", ["Internet"], ports=["443"]),
        Rule("allow-http", "Redirected to HTTPS; proofs of domain control.", ["Internet"], ports=["80"]),
        Rule("allow-probes", "The load balancer looks which nodes live.", ["AzureLoadBalancer"]),
        Rule("allow-cluster", "Nodes and pods among each other.", cluster, cluster, protocol=anything),
    ]


def endpoint_rules(settings: NetworkSettings) -> list[Rule]:
    """Private endpoints answer the network's own machines; pods reach them with their node's address."""
    return [Rule("allow-network", "Services are for this network.", [settings.address_space])]


def security_group(
    key: str, name: str, place: Place, rules: Sequence[Rule], opts: pulumi.ResourceOptions
) -> network.NetworkSecurityGroup:
    """A group that lets in what `rules` say, and nothing else: Azure's own rules come after the last."""
    return network.NetworkSecurityGroup(
        key,
        network_security_group_name=name,
        resource_group_name=place.resource_group,
        location=place.location,
        security_rules=[
            *(_allow(rule, _FIRST + number * _STEP) for number, rule in enumerate(rules)),
            network.SecurityRuleArgs(
                name="deny-rest",
                description="What no rule names.",
                priority=_LAST,
                direction=network.SecurityRuleDirection.INBOUND,
                access=network.SecurityRuleAccess.DENY,
                protocol=network.SecurityRuleProtocol.ASTERISK,
                source_address_prefix="*",
                source_port_range="*",
                destination_address_prefix="*",
                destination_port_range="*",
            ),
        ],
        tags=place.tags,
        opts=opts,
    )


def _allow(rule: Rule, priority: int) -> network.SecurityRuleArgs:
    """Azure tells one value from several: a tag or an asterisk may not stand in a list."""
    one_source, sources = _split(rule.sources)
    one_destination, destinations = _split(rule.destinations)
    one_port, ports = _split(rule.ports)
    return network.SecurityRuleArgs(
        name=rule.name,
        description=rule.why,
        priority=priority,
        direction=network.SecurityRuleDirection.INBOUND,
        access=network.SecurityRuleAccess.ALLOW,
        protocol=rule.protocol,
        source_address_prefix=one_source,
        source_address_prefixes=sources,
        source_port_range="*",
        destination_address_prefix=one_destination,
        destination_address_prefixes=destinations,
        destination_port_range=one_port,
        destination_port_ranges=ports,
    )


def _split(values: Sequence[str]) -> tuple[str | None, list[str] | None]:
    return (values[0], None) if len(values) == 1 else (None, list(values))
