"""What can be reached from where."""

from collections.abc import Mapping
from typing import Any

from infra.policy.model import UNKNOWN, Resource, Stack, listed
from infra.policy.rule import Faults, StackFaults, require, resource_rule, stack_rule

_LEARN = "https://learn.microsoft.com/azure"
_ENDPOINT = "azure-native:network:PrivateEndpoint"

#: Type -> the input that closes it to the public.
PUBLIC_ACCESS = {
    "azure-native:cognitiveservices:Account": "properties.publicNetworkAccess",
    "azure-native:containerregistry:Registry": "publicNetworkAccess",
    "azure-native:cosmosdb:DatabaseAccount": "publicNetworkAccess",
    "azure-native:eventgrid:Topic": "publicNetworkAccess",
    "azure-native:keyvault:Vault": "properties.publicNetworkAccess",
    "azure-native:sql:Server": "publicNetworkAccess",
    "azure-native:storage:StorageAccount": "publicNetworkAccess",
}
_CLOSED = ("Disabled", "SecuredByPerimeter")
_ANYWHERE = ("*", "0.0.0.0/0", "::/0", "Internet", "Any")
_WEB_PORTS = ("80", "443")
#: Subnets in which Azure does not allow a network security group, or needs none.
_UNGUARDED = ("GatewaySubnet", "AzureFirewallSubnet")


@resource_rule(
    *PUBLIC_ACCESS,
    remedy="Close it with public_network_access Disabled; the network's own clients use a private endpoint",
    source="https://learn.microsoft.com/security/benchmark/azure/mcsb-network-security",
    production=True,
)
def production_is_closed_to_the_public(service: Resource) -> Faults:
    """In production no service answers to the public network."""
    yield from require(service, PUBLIC_ACCESS[service.type], *_CLOSED)


@stack_rule(
    remedy="Give it a private endpoint, or nobody can reach it",
    source=f"{_LEARN}/private-link/private-endpoint-overview",
)
def closed_services_have_a_private_endpoint(stack: Stack) -> StackFaults:
    """A service that is closed to the public can be reached through a private endpoint."""
    endpoints = stack.of(_ENDPOINT)
    for service in stack.of(*PUBLIC_ACCESS):
        closed = service.get(PUBLIC_ACCESS[service.type]) in _CLOSED
        if closed and not any(e.refers_to(service, "privateLinkServiceConnections") for e in endpoints):
            yield service, "it is closed to the public and has no private endpoint"


@stack_rule(
    remedy="Add a private DNS zone group, or clients go on resolving the public address",
    source=f"{_LEARN}/private-link/private-endpoint-dns",
)
def private_endpoints_have_names(stack: Stack) -> StackFaults:
    """Every private endpoint registers its address in a private DNS zone."""
    groups = stack.of("azure-native:network:PrivateDnsZoneGroup")
    for endpoint in stack.of(_ENDPOINT):
        if not any(group.refers_to(endpoint, "privateEndpointName") for group in groups):
            yield endpoint, "no private DNS zone group belongs to it"


@resource_rule(
    "azure-native:network:VirtualNetwork",
    "azure-native:network:Subnet",
    remedy="Attach a network security group to the subnet",
    source=f"{_LEARN}/virtual-network/network-security-groups-overview",
)
def subnets_have_a_security_group(resource: Resource) -> Faults:
    """Every subnet has a network security group."""
    inline = resource.type.endswith(":VirtualNetwork")
    subnets = resource.all("subnets") if inline else [resource.inputs]
    for subnet in subnets:
        name = subnet.get("name") or subnet.get("subnetName") or resource.name
        if name not in _UNGUARDED and not subnet.get("networkSecurityGroup"):
            yield f"subnet {name} has no network security group"


@resource_rule(
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:SecurityRule",
    remedy="Allow the sources that need it, or only ports 80 and 443",
    source=f"{_LEARN}/security/fundamentals/network-best-practices",
)
def only_the_web_comes_in_from_anywhere(resource: Resource) -> Faults:
    """Security groups let the whole internet in on ports 80 and 443 only."""
    inline = resource.type.endswith(":NetworkSecurityGroup")
    for rule in resource.all("securityRules") if inline else [resource.inputs]:
        if _lets_anyone_in(rule):
            name, ports = rule.get("name") or resource.name, ", ".join(_ports(rule))
            yield f"rule {name} lets anyone in on ports {ports}"


def _lets_anyone_in(rule: Mapping[str, Any]) -> bool:
    sources = [rule.get("sourceAddressPrefix"), *listed(rule.get("sourceAddressPrefixes"))]
    inbound = rule.get("direction") == "Inbound" and rule.get("access") == "Allow"
    return inbound and any(s in _ANYWHERE for s in sources) and not set(_ports(rule)) <= set(_WEB_PORTS)


def _ports(rule: Mapping[str, Any]) -> list[str]:
    ports = [rule.get("destinationPortRange"), *listed(rule.get("destinationPortRanges"))]
    return [str(port) for port in ports if port is not None and port is not UNKNOWN]


@resource_rule(
    "azure-native:sql:FirewallRule",
    "azure-native:cosmosdb:DatabaseAccount",
    remedy="Name the ranges that may come in; 0.0.0.0 means every customer of Azure",
    source=f"{_LEARN}/azure-sql/database/firewall-configure",
)
def firewalls_do_not_let_all_of_azure_in(resource: Resource) -> Faults:
    """No firewall rule of a database opens it to all of Azure or to the whole internet."""
    if resource.type.endswith(":FirewallRule"):
        if resource.get("startIpAddress") == "0.0.0.0":  # noqa: S104 - looked for, not listened on
            yield f"it lets in 0.0.0.0 to {resource.get('endIpAddress')}"
        return
    for rule in resource.all("ipRules"):
        if rule.get("ipAddressOrRange") in {"0.0.0.0", "0.0.0.0/0"}:  # noqa: S104
            yield f"it lets in {rule['ipAddressOrRange']}"


@resource_rule(
    "azure-native:storage:StorageAccount",
    "azure-native:storage:BlobContainer",
    remedy="Set allow_blob_public_access=False, and public_access of containers to None",
    source=f"{_LEARN}/storage/blobs/anonymous-read-access-prevent",
)
def blobs_are_not_public(resource: Resource) -> Faults:
    """No blob can be read without signing in."""
    if resource.type.endswith(":StorageAccount"):
        yield from require(resource, "allowBlobPublicAccess", False)
    else:
        yield from require(resource, "publicAccess", "None", None)


@resource_rule(
    "azure-native:containerservice:ManagedCluster",
    remedy="Make the cluster private, or list the ranges that may reach its API server",
    source=f"{_LEARN}/aks/api-server-authorized-ip-ranges",
    production=True,
)
def cluster_api_is_not_open_to_everyone(cluster: Resource) -> Faults:
    """In production the cluster's API server is private or takes calls from listed ranges only."""
    private = cluster.get("apiServerAccessProfile.enablePrivateCluster")
    ranges = cluster.get("apiServerAccessProfile.authorizedIPRanges")
    if private is UNKNOWN or ranges is UNKNOWN or private is True:
        return
    if not ranges or "0.0.0.0/0" in ranges:
        yield "its API server answers to everyone"
