"""What of an environment can be reached from where: a restore must not open what was closed.

Azure restores a Cosmos DB account with its public network access on, and without its firewall, unless the
request says otherwise. https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-introduction
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drills.shell import Shell

#: Resource type -> API version, of what has a network of its own to be reached from.
_VERSIONS = {
    "Microsoft.CognitiveServices/accounts": "2023-05-01",
    "Microsoft.ContainerRegistry/registries": "2023-07-01",
    "Microsoft.ContainerService/managedClusters": "2024-05-01",
    "Microsoft.Dashboard/grafana": "2023-09-01",
    "Microsoft.DocumentDB/databaseAccounts": "2024-05-15",
    "Microsoft.EventGrid/topics": "2022-06-15",
    "Microsoft.KeyVault/vaults": "2023-07-01",
    "Microsoft.Sql/servers": "2021-11-01",
    "Microsoft.Storage/storageAccounts": "2023-01-01",
}
_RESTORED = re.compile(r"-\d{14}$")
#: Resource (type and name) -> ways in.
Survey = Mapping[str, frozenset[str]]


def survey(shell: Shell, group: str) -> Survey:
    """Raises CommandError."""
    known = {kind.lower(): version for kind, version in _VERSIONS.items()}
    listed = [one for one in shell.az("resource", "list", "-g", group) if one["type"].lower() in known]

    def look(one: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
        version = known[one["type"].lower()]
        found = _get(shell, one["id"], version)
        ways = set(ways_in(found.get("properties") or {}))
        if one["type"].lower() == "microsoft.sql/servers":
            rules = _get(shell, f"{one['id']}/firewallRules", version)["value"]
            ways |= {_rule(rule["properties"]) for rule in rules}
        return f"{one['type']} {one['name']}", frozenset(ways)

    with ThreadPoolExecutor(4) as pool:
        return dict(pool.map(look, listed))


def _get(shell: Shell, path: str, version: str) -> Any:
    return shell.az("rest", "--method", "get", "--url", f"{path}?api-version={version}")


def _rule(properties: Mapping[str, Any]) -> str:
    return f"from {properties['startIpAddress']} to {properties['endIpAddress']}"


def ways_in(properties: Mapping[str, Any]) -> Iterator[str]:
    """What a resource's properties say of its network; services agree on the meaning, not on the names."""
    if properties.get("publicNetworkAccess") not in {None, "Disabled"}:
        yield "public network access"
    rules = properties.get("networkAcls") or properties.get("networkRuleSet") or {}
    if rules.get("defaultAction") == "Allow":
        yield "from anywhere unless denied"
    for rule in rules.get("ipRules") or properties.get("ipRules") or properties.get("inboundIpRules") or ():
        yield f"from {rule.get('value') or rule.get('ipAddressOrRange') or rule.get('ipMask')}"
    if "isVirtualNetworkFilterEnabled" in properties:  # Cosmos DB: without any rule, everybody may
        filtered = properties.get("ipRules") or properties["isVirtualNetworkFilterEnabled"]
        if not filtered and properties.get("publicNetworkAccess") != "Disabled":
            yield "from anywhere unless denied"
    if properties.get("allowBlobPublicAccess"):
        yield "anonymous reading of blobs"
    if properties.get("disableLocalAuth") is False or properties.get("allowSharedKeyAccess") is True:
        yield "with a key"
    profile = properties.get("apiServerAccessProfile")
    if "kubernetesVersion" in properties and not (profile or {}).get("enablePrivateCluster"):
        yield "public control plane"
        for allowed in (profile or {}).get("authorizedIPRanges") or ("0.0.0.0/0",):
            yield f"from {allowed}"


def as_of_another(found: Survey, own: str, other: str) -> Survey:
    """A stack's survey with the names that another environment has: a stamp is held to its original."""
    pairs = ((f"agents-{own}", f"agents-{other}"), (f"agents{own}".replace("-", ""), f"agents{other}"))

    def renamed(resource: str) -> str:
        for before, after in pairs:
            resource = resource.replace(before, after)
        return resource

    return {renamed(resource): ways for resource, ways in found.items()}


def without_address(found: Survey, address: str) -> Survey:
    """With the address that a stack's own cluster calls from in words: each has another."""
    exact = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.])")
    return {
        resource: frozenset(exact.sub("its own cluster", way) for way in ways)
        for resource, ways in found.items()
    }


def opened(before: Survey, after: Survey) -> list[str]:
    """Ways in that there were none of before; a restored resource is held to its original."""
    wrong = []
    for resource, ways in after.items():
        allowed = before.get(resource, before.get(_RESTORED.sub("", resource), frozenset()))
        wrong += [f"{resource} is open: {way}" for way in sorted(ways - allowed)]
    return wrong
