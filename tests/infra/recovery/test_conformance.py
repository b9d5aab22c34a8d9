"""The check of what was restored: each thing that a restore does not bring is seen missing once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra.recovery import facts
from infra.recovery.conformance import Deviation, Kind, deviations, table

GROUP = "/subscriptions/s/resourceGroups/rg/providers"
ACCOUNT, COPY = (
    f"{GROUP}/Microsoft.DocumentDB/databaseAccounts/{name}" for name in ("cosmos", "cosmos-copy")
)
SERVER = f"{GROUP}/Microsoft.Sql/servers/sql"
DATABASE, BESIDE = f"{SERVER}/databases/AgentsDB", f"{SERVER}/databases/AgentsDB-copy"
Answers = dict[str, Any]


def _account(id: str) -> Answers:  # noqa: A002 - Azure's word
    """An account as the program makes it, seen from Resource Manager."""
    connection = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    container = {
        "id": "Events",
        "partitionKey": {"paths": ["/agent"]},
        "defaultTtl": 7_776_000,
        "indexingPolicy": {"includedPaths": [{"path": "/agent/?"}]},
    }
    definition = {"type": "CustomRole", "permissions": [{"dataActions": ["items/read", "items/create"]}]}
    assignment = {
        "principalId": "agent",
        "roleDefinitionId": f"{id}/sqlRoleDefinitions/ours",
        "scope": f"{id}/dbs/AgentsDB/colls/Events",
    }
    return {
        id: {
            "properties": {
                "provisioningState": "Succeeded",
                "publicNetworkAccess": "Disabled",
                "disableLocalAuth": True,
                "disableKeyBasedMetadataWriteAccess": True,
                "minimalTlsVersion": "Tls12",
                "ipRules": [{"ipAddressOrRange": "20.0.0.0/24"}],
                "virtualNetworkRules": [],
                "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
                "backupPolicy": {
                    "type": "Continuous",
                    "continuousModeProperties": {"tier": "Continuous30Days"},
                },
                "privateEndpointConnections": [connection],
            }
        },
        f"{id}/sqlDatabases/AgentsDB/containers": {"value": [{"properties": {"resource": container}}]},
        f"{id}/sqlRoleDefinitions": {
            "value": [{"id": f"{id}/sqlRoleDefinitions/ours", "properties": definition}]
        },
        f"{id}/sqlRoleAssignments": {"value": [{"properties": assignment}]},
        f"{id}/providers/Microsoft.Insights/diagnosticSettings": _logs(),
    }


def _database(id: str) -> Answers:  # noqa: A002
    return {
        id: {
            "sku": {"name": "GP_Gen5", "capacity": 2},
            "properties": {
                "status": "Online",
                "maxSizeBytes": 1,
                "zoneRedundant": True,
                "requestedBackupStorageRedundancy": "Geo",
            },
        },
        f"{id}/transparentDataEncryption/current": {"properties": {"state": "Enabled"}},
        f"{id}/backupShortTermRetentionPolicies/default": {"properties": {"retentionDays": 35}},
        f"{id}/backupLongTermRetentionPolicies/default": {
            "properties": {"weeklyRetention": "P5W", "monthlyRetention": "P12M", "yearlyRetention": "P5Y"}
        },
        f"{id}/providers/Microsoft.Insights/diagnosticSettings": _logs(),
        SERVER: {
            "properties": {
                "publicNetworkAccess": "Disabled",
                "minimalTlsVersion": "1.2",
                "administrators": {"azureADOnlyAuthentication": True},
            }
        },
    }


def _logs() -> Answers:
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    return {"value": [{"properties": {"workspaceId": "/workspaces/log", "logs": logs}}]}


def _look(read: facts.Read, id: str) -> facts.Facts:  # noqa: A002
    return facts.account(read, id, "AgentsDB", "id-republishing")


def _judged(kind: Kind, spoil: Callable[[Answers], object] = lambda _: None) -> list[Deviation]:
    """Of a copy that `spoil` did something to; `{id}` stands for the copy's id in the paths it gets."""
    if kind == "account":
        there, copied, known, other = _account(ACCOUNT), _account(COPY), ACCOUNT, COPY
        look = _look
    else:
        there, copied, known, other = _database(DATABASE), _database(BESIDE), DATABASE, BESIDE
        look = facts.database
    there, copied = copy.deepcopy(there), copy.deepcopy(copied)
    spoilt = {path.replace(other, "{id}"): answer for path, answer in copied.items()}
    spoil(spoilt)
    copied = {path.replace("{id}", other): answer for path, answer in spoilt.items()}
    original = look(lambda path, _: there.get(path), known)
    return deviations(kind, "copy", original, look(lambda path, _: copied.get(path), other))


@pytest.mark.parametrize("kind", ["account", "database"])
def test_a_copy_with_everything_conforms(kind: Kind) -> None:
    assert _judged(kind) == []


def _set(name: str, value: Any, path: str = "{id}") -> Callable[[Answers], object]:
    return lambda there: there[path]["properties"].__setitem__(name, value)


def _drop(path: str) -> Callable[[Answers], object]:
    return lambda there: there.pop(path)


_CONTAINERS = "{id}/sqlDatabases/AgentsDB/containers"


def _container(name: str, value: Any) -> Callable[[Answers], object]:
    return lambda there: there[_CONTAINERS]["value"][0]["properties"]["resource"].__setitem__(name, value)


def _member(path: str, name: str, value: Any) -> Callable[[Answers], object]:
    return lambda there: there[path]["value"][0]["properties"].__setitem__(name, value)


@pytest.mark.parametrize(
    ("spoil", "fact"),
    [
        (_set("publicNetworkAccess", "Enabled"), "publicNetworkAccess"),
        (_set("disableLocalAuth", False), "disableLocalAuth"),
        (_set("disableKeyBasedMetadataWriteAccess", False), "disableKeyBasedMetadataWriteAccess"),
        (_set("minimalTlsVersion", "Tls"), "minimalTlsVersion"),
        (_set("provisioningState", "Updating"), "provisioningState"),
        (_set("ipRules", []), "addresses let in"),
        (_set("virtualNetworkRules", [{"id": "/subnet"}]), "networks let in"),
        (_set("privateEndpointConnections", []), "private endpoints"),
        (_set("backupPolicy", {"type": "Periodic"}), "backup policy"),
        (_set("consistencyPolicy", {"defaultConsistencyLevel": "Eventual"}), "consistency"),
        (_container("defaultTtl", -1), "container Events: defaultTtl"),
        (_container("indexingPolicy", {}), "container Events: indexingPolicy"),
        (_container("partitionKey", {"paths": ["/id"]}), "container Events: partitionKey"),
        (_drop(_CONTAINERS), "container Events: partitionKey"),
        (_drop("{id}/sqlRoleDefinitions"), "data roles"),
        (_member("{id}/sqlRoleDefinitions", "permissions", []), "data roles"),
        (_drop("{id}/sqlRoleAssignments"), "data role assignments"),
        (_member("{id}/sqlRoleAssignments", "principalId", "stranger"), "data role assignments"),
        (_member("{id}/sqlRoleAssignments", "scope", COPY), "data role assignments"),
        (_drop("{id}/providers/Microsoft.Insights/diagnosticSettings"), "logs"),
        (_member("{id}/providers/Microsoft.Insights/diagnosticSettings", "logs", []), "logs"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "spoilt",
)
def test_what_an_account_lacks_is_named(spoil: Callable[[Answers], object], fact: str) -> None:
    assert fact in [one.fact for one in _judged("account", spoil)]


def _republishes(role: str) -> Callable[[Answers], object]:
    """Who publishes again has `role` in the copy, which agents use, and none in the original."""

    def spoil(there: Answers) -> None:
        group = COPY.partition("/providers/")[0]
        identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-republishing"
        there[identity] = {"properties": {"principalId": "republisher"}}
        properties = {
            "principalId": "republisher",
            "roleDefinitionId": f"{COPY}/sqlRoleDefinitions/{role}",
            "scope": f"{COPY}/dbs/AgentsDB/colls/Events",
        }
        there["{id}/sqlRoleAssignments"]["value"].append({"properties": properties})

    return spoil


def test_who_publishes_events_again_may_read_the_copy_and_not_write_it() -> None:
    assert _judged("account", _republishes("00000000-0000-0000-0000-000000000001")) == []
    (found,) = _judged("account", _republishes("00000000-0000-0000-0000-000000000002"))
    assert found.fact == "data role assignments"


@pytest.mark.parametrize(
    ("spoil", "fact"),
    [
        (_set("status", "Restoring"), "usable"),
        (_set("zoneRedundant", False), "zoneRedundant"),
        (_set("requestedBackupStorageRedundancy", "Local"), "requestedBackupStorageRedundancy"),
        (lambda there: there["{id}"].pop("sku"), "size"),
        (_drop("{id}/transparentDataEncryption/current"), "encryption at rest"),
        (_drop("{id}/backupShortTermRetentionPolicies/default"), "point-in-time retention"),
        (_drop("{id}/backupLongTermRetentionPolicies/default"), "long-term weeklyRetention"),
        (_set("administrators", {}, SERVER), "server: Entra ID only"),
        (_set("publicNetworkAccess", "Enabled", SERVER), "server: publicNetworkAccess"),
        (_set("minimalTlsVersion", "1.0", SERVER), "server: minimalTlsVersion"),
        (_drop("{id}/providers/Microsoft.Insights/diagnosticSettings"), "logs"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "spoilt",
)
def test_what_a_database_lacks_is_named(spoil: Callable[[Answers], object], fact: str) -> None:
    assert fact in [one.fact for one in _judged("database", spoil)]


def test_an_original_that_takes_keys_is_no_measure() -> None:
    open_, shut = {"disableLocalAuth": False}, {"disableLocalAuth": False, "provisioningState": "Succeeded"}
    assert [one.fact for one in deviations("account", "copy", open_, shut)] == ["disableLocalAuth"]


def test_the_table_says_what_was_expected_and_what_is_there() -> None:
    heads, row = table([Deviation("copy", "logs", ["log"], None)])
    assert heads.split() == ["COPY", "WHAT", "EXPECTED", "FOUND"]
    assert row.split() == ["copy", "logs", "['log']", "not", "there"]
