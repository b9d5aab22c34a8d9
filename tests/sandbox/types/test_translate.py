"""Where the SDK's properties sit on the wire. The renames are those of the official provider."""

from typing import Any

import pytest

from sandbox.types.translate import from_wire, to_wire

CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "Microsoft.Storage/storageAccounts",
        {
            "kind": "StorageV2",
            "enableHttpsTrafficOnly": True,
            "enableNfsV3": False,
            "networkRuleSet": {"ipRules": [{"iPAddressOrRange": "10.0.0.1"}]},
            "encryption": {
                "encryptionIdentity": {"encryptionUserAssignedIdentity": "/id"},
                "keyVaultProperties": {"keyName": "k"},
            },
        },
        {
            "kind": "StorageV2",
            "properties": {
                "supportsHttpsTrafficOnly": True,
                "isNfsV3Enabled": False,
                "networkAcls": {"ipRules": [{"value": "10.0.0.1"}]},
                "encryption": {
                    "identity": {"userAssignedIdentity": "/id"},
                    "keyvaultproperties": {"keyname": "k"},
                },
            },
        },
    ),
    (
        "Microsoft.Authorization/roleDefinitions",
        {"roleName": "r", "roleType": "CustomRole"},
        {"properties": {"roleName": "r", "type": "CustomRole"}},
    ),
    (
        "Microsoft.Insights/components",
        {
            "kind": "web",
            "applicationType": "web",
            "flowType": "Bluefield",
            "requestSource": "rest",
            "hockeyAppId": "h",
            "samplingPercentage": 50.0,
            "retentionInDays": 30,
            "disableIpMasking": True,
            "immediatePurgeDataOn30Days": True,
            "workspaceResourceId": "/ws",
            "ingestionMode": "LogAnalytics",
            "disableLocalAuth": True,
            "forceCustomerStorageForProfiler": False,
        },
        {
            "kind": "web",
            "properties": {
                "Application_Type": "web",
                "Flow_Type": "Bluefield",
                "Request_Source": "rest",
                "HockeyAppId": "h",
                "SamplingPercentage": 50.0,
                "RetentionInDays": 30,
                "DisableIpMasking": True,
                "ImmediatePurgeDataOn30Days": True,
                "WorkspaceResourceId": "/ws",
                "IngestionMode": "LogAnalytics",
                "DisableLocalAuth": True,
                "ForceCustomerStorageForProfiler": False,
            },
        },
    ),
    (
        "Microsoft.ContainerService/managedClusters",
        {"autoScalerProfile": {"balanceSimilarNodeGroups": "true", "scanInterval": "10s"}},
        {
            "properties": {
                "autoScalerProfile": {"balance-similar-node-groups": "true", "scan-interval": "10s"}
            }
        },
    ),
    (
        "Microsoft.ContainerService/managedClusters/agentPools",
        {"type": "VirtualMachineScaleSets", "count": 1},
        {"properties": {"type": "VirtualMachineScaleSets", "count": 1}},
    ),
    (
        "Microsoft.ContainerRegistry/registries",
        {"networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"iPAddressOrRange": "10.0.0.1"}]}},
        {"properties": {"networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"value": "10.0.0.1"}]}}},
    ),
    (
        "Microsoft.KeyVault/vaults/secrets",
        {"properties": {"value": "v", "attributes": {"expires": 2, "notBefore": 1}}},
        {"properties": {"value": "v", "attributes": {"exp": 2, "nbf": 1}}},
    ),
    (
        "Microsoft.Insights/metricAlerts",
        {"criteria": {"odataType": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"}},
        {
            "properties": {
                "criteria": {"odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"}
            }
        },
    ),
    (
        "Microsoft.Network/virtualNetworks",
        {
            "subnets": [
                {
                    "name": "a",
                    "addressPrefix": "10.0.0.0/24",
                    "ipamPoolPrefixAllocations": [{"id": "/pool", "numberOfIpAddresses": "8"}],
                }
            ]
        },
        {
            "properties": {
                "subnets": [
                    {
                        "name": "a",
                        "properties": {
                            "addressPrefix": "10.0.0.0/24",
                            "ipamPoolPrefixAllocations": [
                                {"pool": {"id": "/pool"}, "numberOfIpAddresses": "8"}
                            ],
                        },
                    }
                ]
            }
        },
    ),
    (
        "Microsoft.Network/dnsZones/A",
        {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.1"}]},
        {"properties": {"TTL": 60, "ARecords": [{"ipv4Address": "10.0.0.1"}]}},
    ),
    (
        "Microsoft.EventGrid/eventSubscriptions",
        {"destination": {"endpointType": "StorageQueue", "queueName": "q", "resourceId": "/r"}},
        {
            "properties": {
                "destination": {
                    "endpointType": "StorageQueue",
                    "properties": {"queueName": "q", "resourceId": "/r"},
                }
            }
        },
    ),
]


@pytest.mark.parametrize(("type_name", "inputs", "body"), CASES, ids=[case[0] for case in CASES])
def test_placement_and_renames_both_ways(
    type_name: str, inputs: dict[str, Any], body: dict[str, Any]
) -> None:
    assert to_wire(type_name, inputs) == body
    assert from_wire(type_name, body) == inputs


def test_a_key_is_given_whole_and_shown_flat() -> None:
    given = {"kty": "RSA", "releasePolicy": {"data": "d"}, "attributes": {"expires": 2}}
    body = {"properties": {"kty": "RSA", "release_policy": {"data": "d"}, "attributes": {"exp": 2}}}
    assert to_wire("Microsoft.KeyVault/vaults/keys", {"properties": given}) == body
    uri = {"keyUri": "https://kv.vault.azure.net/keys/k"}
    shown = from_wire("Microsoft.KeyVault/vaults/keys", {"properties": {**body["properties"], **uri}})
    assert shown == {**given, **uri, "properties": given}


def test_path_parameters_are_no_part_of_the_body() -> None:
    inputs = {"vaultName": "v", "resourceGroupName": "g", "location": "westeurope"}
    assert to_wire("Microsoft.KeyVault/vaults", inputs)["location"] == "westeurope"
    assert "vaultName" not in to_wire("Microsoft.KeyVault/vaults", inputs)


def test_the_name_that_is_in_the_body_too() -> None:
    body = to_wire("Microsoft.Insights/webtests", {"webTestName": "w", "webTestKind": "ping"})
    assert body["properties"] == {"Name": "w", "Kind": "ping"}


def test_identities_are_an_array_in_the_sdk_and_a_map_on_the_wire() -> None:
    inputs = {"identity": {"type": "UserAssigned", "userAssignedIdentities": ["/a", "/b"]}}
    body = to_wire("Microsoft.ContainerService/managedClusters", inputs)
    assert body["identity"]["userAssignedIdentities"] == {"/a": {}, "/b": {}}


def test_what_the_sdk_does_not_know_is_left_out() -> None:
    body = {"location": "westeurope", "properties": {"tenantId": "t", "fromTheFuture": 1}, "another": 2}
    assert from_wire("Microsoft.KeyVault/vaults", body) == {
        "location": "westeurope",
        "properties": {"tenantId": "t"},
    }


def test_an_unknown_property_is_named() -> None:
    with pytest.raises(LookupError, match=r"'properties\.skuu' is not a property"):
        to_wire("Microsoft.KeyVault/vaults", {"properties": {"skuu": {}}})


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(LookupError, match=r"Microsoft\.No/thing"):
        to_wire("Microsoft.No/thing", {})
