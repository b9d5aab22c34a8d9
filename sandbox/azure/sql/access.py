"""Whether a network may reach a server at all, before anybody is asked who he is.

A server whose public access is enabled answers to whom one of its firewall rules names, and to nobody without
a rule; one whose public access is disabled only through its private endpoints.
Source: https://learn.microsoft.com/azure/azure-sql/database/firewall-configure.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from sandbox.arm.resource import Resource
from sandbox.azure.sql import naming
from sandbox.network import admission
from sandbox.network.admission import Connection, Reason, Refusal, Rules
from sandbox.services import Services, Store

#: The sub-resource that private endpoints name.
_GROUP = "sqlServer"
#: A rule from here to here lets in whatever runs on Azure.
_AZURE = "0.0.0.0"  # noqa: S104


def refusal(services: Services, server: Resource, peer: str, local: str) -> Refusal | None:
    """Why a connection from `peer` to our address `local` may not reach the server; None when it may."""
    connection = Connection(IPv4Address(peer), IPv4Address(local))
    return admission.refusal(services, server, _GROUP, _rules(services.store, server), connection)


def message(server: Resource, refused: Refusal) -> str:
    """Azure's errors 47073 and 40615."""
    if refused.reason is Reason.PUBLIC_ACCESS_DISABLED:
        return (
            "Connection was denied because Deny Public Network Access is set to Yes. To connect to this "
            "server, use the Private Endpoint from inside your virtual network."
        )
    return (
        f"Cannot open server '{server.id.name}' requested by the login. Client with IP address "
        f"'{refused.address}' is not allowed to access the server. To enable access, create a firewall "
        "rule for this IP address or address range."
    )


def _rules(store: Store, server: Resource) -> Rules:
    ranges = [
        (str(rule.properties["startIpAddress"]), str(rule.properties["endIpAddress"]))
        for rule in store.list(type=naming.FIREWALL_RULE, under=server.id.text)
    ]
    return Rules(
        public=server.properties.get("publicNetworkAccess") == "Enabled",
        default=False,
        ranges=tuple(network for ends in ranges for network in admission.between(*ends)),
        anything_in_azure=(_AZURE, _AZURE) in ranges,
    )
