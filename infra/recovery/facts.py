"""What Resource Manager says of an account or a database: facts by name, by which two can be compared.

Ids, times and names that differ between an original and its copy are left out, or said relative to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.azure.cosmos_roles import READER

#: A resource id and the version of its API -> what is there, or None.
Read = Callable[[str, str], dict[str, Any] | None]
#: A fact's name -> its value; None is "Azure does not say".
Facts = dict[str, Any]

_COSMOS, _SQL, _DIAGNOSTICS = "2024-08-15", "2023-08-01", "2021-05-01-preview"
_IDENTITY = "2023-01-31"
_ACCOUNT = (
    "publicNetworkAccess",
    "disableLocalAuth",
    "disableKeyBasedMetadataWriteAccess",
    "minimalTlsVersion",
    "isVirtualNetworkFilterEnabled",
    "networkAclBypass",
    "enableAutomaticFailover",
)
_CONTAINER = ("partitionKey", "defaultTtl", "indexingPolicy")
_DATABASE = ("maxSizeBytes", "zoneRedundant", "requestedBackupStorageRedundancy", "minCapacity")
_SERVER = ("publicNetworkAccess", "minimalTlsVersion")


def account(read: Read, id: str, database: str, republisher: str) -> Facts:  # noqa: A002 - Azure's word
    """Of a Cosmos DB account and its `database`: network, keys, backups, containers, roles and logs.

    `republisher` is the name of the identity that reads, while `agents:republish` is set, in the account that
    agents use and in no other: that it may read is left out.
    """
    found = _properties(read(id, _COSMOS))
    backup = found.get("backupPolicy") or {}
    facts: Facts = {name: found.get(name) for name in _ACCOUNT}
    facts["provisioningState"] = found.get("provisioningState")
    facts["backup policy"] = (backup.get("type"), (backup.get("continuousModeProperties") or {}).get("tier"))
    facts["consistency"] = (found.get("consistencyPolicy") or {}).get("defaultConsistencyLevel")
    facts["addresses let in"] = sorted(rule["ipAddressOrRange"] for rule in found.get("ipRules") or ())
    facts["networks let in"] = sorted(rule["id"] for rule in found.get("virtualNetworkRules") or ())
    facts["private endpoints"] = _approved(found)
    for container in _list(read, f"{id}/sqlDatabases/{database}/containers", _COSMOS):
        resource = container["properties"]["resource"]
        for name in _CONTAINER:
            facts[f"container {resource['id']}: {name}"] = resource.get(name)
    facts["data roles"] = sorted(_definitions(_list(read, f"{id}/sqlRoleDefinitions", _COSMOS)))
    made = _list(read, f"{id}/sqlRoleAssignments", _COSMOS)
    # Asked afterwards: who has a role was there before.
    aside = _properties(read(_identity(id, republisher), _IDENTITY)).get("principalId")
    others = (one for one in _assignments(id, made) if not one.startswith(f"{aside} {READER} "))
    facts["data role assignments"] = sorted(others)
    return {**facts, **_diagnostics(read, id)}


def database(read: Read, id: str) -> Facts:  # noqa: A002
    """Of a SQL database and its server: size, encryption, retention, Entra ID only, logs."""
    answer = read(id, _SQL)
    found, size = _properties(answer), (answer or {}).get("sku") or {}
    facts: Facts = {name: found.get(name) for name in _DATABASE}
    # Serverless databases pause when nobody uses them.
    facts["usable"] = found.get("status") in {"Online", "Paused"}
    facts["size"] = (size.get("name"), size.get("capacity"))
    encryption = _properties(read(f"{id}/transparentDataEncryption/current", _SQL))
    facts["encryption at rest"] = encryption.get("state")
    short = _properties(read(f"{id}/backupShortTermRetentionPolicies/default", _SQL))
    facts["point-in-time retention"] = short.get("retentionDays")
    long = _properties(read(f"{id}/backupLongTermRetentionPolicies/default", _SQL))
    for name in ("weeklyRetention", "monthlyRetention", "yearlyRetention"):
        facts[f"long-term {name}"] = long.get(name)
    server = id.rpartition("/databases/")[0]
    known = _properties(read(server, _SQL))
    facts |= {f"server: {name}": known.get(name) for name in _SERVER}
    facts["server: Entra ID only"] = (known.get("administrators") or {}).get("azureADOnlyAuthentication")
    return {**facts, **_diagnostics(read, id)}


def _definitions(roles: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    """Roles of one's own, by their id within the account and what they allow."""
    for role in roles:
        if role["properties"].get("type") == "CustomRole":
            actions = {
                action
                for permission in role["properties"].get("permissions") or ()
                for action in permission.get("dataActions") or ()
            }
            yield role["id"].rpartition("/")[2], *sorted(actions)


def _assignments(account: str, made: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Who has which role over what, said relative to the account."""
    for one in made:
        known = one["properties"]
        role, scope = known["roleDefinitionId"].rpartition("/")[2], known["scope"][len(account) :]
        yield f"{known['principalId']} {role} {scope or '/'}"


def _identity(resource: str, name: str) -> str:
    """Of an identity in the resource's group."""
    group = resource.partition("/providers/")[0]
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


def _approved(properties: Mapping[str, Any]) -> int:
    states = [
        (one.get("properties") or {}).get("privateLinkServiceConnectionState") or {}
        for one in properties.get("privateEndpointConnections") or ()
    ]
    return sum(state.get("status") == "Approved" for state in states)


def _diagnostics(read: Read, id: str) -> Facts:  # noqa: A002
    sinks = [
        (
            str(one["properties"].get("workspaceId", "")).lower(),
            *sorted(
                str(log.get("categoryGroup") or log.get("category"))
                for log in one["properties"].get("logs") or ()
                if log.get("enabled")
            ),
        )
        for one in _list(read, f"{id}/providers/Microsoft.Insights/diagnosticSettings", _DIAGNOSTICS)
    ]
    return {"logs": sorted(sinks)}


def _list(read: Read, path: str, version: str) -> list[dict[str, Any]]:
    return list((read(path, version) or {}).get("value") or ())


def _properties(answer: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (answer or {}).get("properties") or {}
