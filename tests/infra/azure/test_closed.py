"""No keys anywhere, and in prod no way in but through the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.azure.components import dev
from tests.infra.azure.declaring import Declarations, Declared, declare, narrowed

#: Type -> the inputs that turn keys off, and what they must say.
_KEYS: dict[str, dict[str, Any]] = {
    "cognitiveservices:Account": {"properties.disableLocalAuth": True},
    "containerregistry:Registry": {"adminUserEnabled": False, "anonymousPullEnabled": False},
    "cosmosdb:DatabaseAccount": {"disableLocalAuth": True, "disableKeyBasedMetadataWriteAccess": True},
    "eventgrid:Topic": {"disableLocalAuth": True},
    "keyvault:Vault": {"properties.enableRbacAuthorization": True},
    "sql:Server": {"administrators.azureADOnlyAuthentication": True},
    "storage:StorageAccount": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "isLocalUserEnabled": False,
    },
}
#: Type -> the sub-resources that a private endpoint leads to.
_ENDPOINTS = {
    "cognitiveservices:Account": ["account"],
    "containerregistry:Registry": ["registry"],
    "cosmosdb:DatabaseAccount": ["Sql"],
    "eventgrid:Topic": ["topic"],
    "keyvault:Vault": ["vault"],
    "sql:Server": ["sqlServer"],
    "storage:StorageAccount": ["blob", "queue"],
}


def at(inputs: Mapping[str, Any], path: str) -> Any:
    value: Any = inputs
    for name in path.split("."):
        value = value.get(name) if value is not None else None
    return value


def _public(service: Declared) -> Any:
    return at(service.inputs, "publicNetworkAccess") or at(service.inputs, "properties.publicNetworkAccess")


@pytest.mark.parametrize("kind", _KEYS)
def test_no_service_takes_keys(kind: str, in_dev: Declarations, in_prod: Declarations) -> None:
    for service in (*in_dev.of(kind), *in_prod.of(kind)):
        assert {path: at(service.inputs, path) for path in _KEYS[kind]} == _KEYS[kind]
    assert in_dev.of(kind)


@pytest.mark.parametrize("kind", _ENDPOINTS)
def test_prod_has_no_public_path_and_a_private_one_with_a_name(kind: str, in_prod: Declarations) -> None:
    for service in in_prod.of(kind):
        assert _public(service) == "Disabled", service.name
        target = f"/{kind.partition(':')[2]}/{service.name}"
        endpoints = {
            connection["groupIds"][0]: endpoint
            for endpoint in in_prod.of("network:PrivateEndpoint")
            for connection in endpoint.inputs["privateLinkServiceConnections"]
            if connection["privateLinkServiceId"] == target
        }
        assert sorted(endpoints) == _ENDPOINTS[kind]
        named = {group.inputs["privateEndpointName"] for group in in_prod.of("network:PrivateDnsZoneGroup")}
        assert {endpoint.name for endpoint in endpoints.values()} <= named


def test_prod_lets_no_address_in(in_prod: Declarations) -> None:
    assert in_prod.of("sql:FirewallRule") == []
    assert in_prod.one("cosmosdb:DatabaseAccount").inputs["ipRules"] == []
    assert in_prod.one("eventgrid:Topic").inputs["inboundIpRules"] == []
    for kind, path in (
        ("storage:StorageAccount", "networkRuleSet"),
        ("keyvault:Vault", "properties.networkAcls"),
        ("cognitiveservices:Account", "properties.networkAcls"),
        ("containerregistry:Registry", "networkRuleSet"),
    ):
        for service in in_prod.of(kind):
            rules = at(service.inputs, path)
            assert (rules["defaultAction"], rules["ipRules"]) == ("Deny", []), service.name


def test_event_grid_may_deliver_to_the_closed_storage(in_prod: Declarations) -> None:
    assert in_prod.one("storage:StorageAccount").inputs["networkRuleSet"]["bypass"] == "AzureServices"


def test_ranges_narrow_every_public_service_to_them_and_the_cluster() -> None:
    found = declare(dev(narrowed()).declare)
    wanted = ["20.0.0.0/24", "20.9.9.9", "20.1.2.3"]
    cosmos = found.one("cosmosdb:DatabaseAccount").inputs
    assert [rule["ipAddressOrRange"] for rule in cosmos["ipRules"]] == wanted
    topic = found.one("eventgrid:Topic").inputs
    assert [rule["ipMask"] for rule in topic["inboundIpRules"]] == wanted
    for kind, path, field in (
        ("storage:StorageAccount", "networkRuleSet", "iPAddressOrRange"),
        ("keyvault:Vault", "properties.networkAcls", "value"),
        ("cognitiveservices:Account", "properties.networkAcls", "value"),
    ):
        rules = at(found.one(kind).inputs, path)
        assert rules["defaultAction"] == "Deny"
        assert [rule[field] for rule in rules["ipRules"]] == wanted
    spans = [
        (rule.inputs["startIpAddress"], rule.inputs["endIpAddress"]) for rule in found.of("sql:FirewallRule")
    ]
    assert sorted(spans) == [
        ("20.0.0.0", "20.0.0.255"),
        ("20.1.2.3", "20.1.2.3"),
        ("20.9.9.9", "20.9.9.9"),
    ]


def test_without_ranges_only_sql_still_names_who_may_come(in_dev: Declarations) -> None:
    assert in_dev.one("storage:StorageAccount").inputs["networkRuleSet"]["defaultAction"] == "Allow"
    assert in_dev.one("cosmosdb:DatabaseAccount").inputs["ipRules"] == []
    assert [rule.inputs["startIpAddress"] for rule in in_dev.of("sql:FirewallRule")] == ["20.1.2.3"]


def test_connections_are_encrypted_with_tls_1_2(in_dev: Declarations) -> None:
    assert in_dev.one("cosmosdb:DatabaseAccount").inputs["minimalTlsVersion"] == "Tls12"
    assert in_dev.one("eventgrid:Topic").inputs["minimumTlsVersionAllowed"] == "1.2"
    assert in_dev.one("sql:Server").inputs["minimalTlsVersion"] == "1.2"
    storage = in_dev.one("storage:StorageAccount").inputs
    assert (storage["minimumTlsVersion"], storage["enableHttpsTrafficOnly"]) == ("TLS1_2", True)
