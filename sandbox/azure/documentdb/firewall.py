"""Which networks an account answers. Any rule closes it to everybody else.

https://learn.microsoft.com/azure/cosmos-db/how-to-configure-firewall and
https://learn.microsoft.com/azure/cosmos-db/how-to-configure-private-endpoints
"""

from __future__ import annotations

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb.errors import CosmosError
from sandbox.network.admission import Connection, Rules, ranges, refusal, subnets
from sandbox.services import Services

#: The rule that lets in whatever runs in Azure's datacenters.
_AZURE = "0.0.0.0"  # noqa: S104


def require(services: Services, account: Resource, request: Request) -> None:
    """Raise CosmosError 403 unless the request came by a way that the account allows."""
    found = refusal(services, account, "Sql", _rules(account), Connection.of(request))
    if found is not None:
        raise CosmosError(
            403,
            "Forbidden",
            f"Request originated from IP {found.address} through public internet. This is blocked by your "
            "Cosmos DB account firewall settings. More info: https://aka.ms/cosmosdb-tsg-forbidden",
        )


def _rules(account: Resource) -> Rules:
    properties = account.properties
    listed = [str(rule.get("ipAddressOrRange")) for rule in properties.get("ipRules") or ()]
    by_network = bool(properties.get("isVirtualNetworkFilterEnabled"))
    networks = properties.get("virtualNetworkRules") or () if by_network else ()
    return Rules(
        public=properties.get("publicNetworkAccess", "Enabled") == "Enabled",
        default=not listed and not by_network,
        ranges=ranges(one for one in listed if one != _AZURE),
        subnets=subnets(rule.get("id") for rule in networks),
        trusted=properties.get("networkAclBypass") == "AzureServices",
        anything_in_azure=_AZURE in listed,
    )
