"""The network: what may come in, how it leaves, and the names that lead to private endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from infra.azure.network import Network, NetworkArgs
from infra.azure.private import Service
from infra.azure.private_zones import zone_name
from infra.cloud import WELL_KNOWN, Cloud, parse_metadata
from infra.naming import Names
from infra.settings.sections import NetworkSettings
from tests.infra.azure.declaring import WORKSPACE, Declarations, declare, large, small
from tests.infra.test_cloud import METADATA

PUBLIC, PRIVATE = NetworkSettings(), NetworkSettings(private=True)
NAMES = Names("dev")
INTERNET = "203.0.113.7"
NODE, ENDPOINT, POD = "10.240.3.4", "10.240.16.5", "10.244.7.8"


@cache
def _declared(*, private: bool = False) -> Declarations:
    settings, place = (PRIVATE, large()) if private else (PUBLIC, small())
    return declare(lambda: Network("network", NetworkArgs(place, NAMES, settings, WORKSPACE)))


def _subnet(found: Declarations, name: str) -> dict[str, Any]:
    return next(one for one in found.one("network:VirtualNetwork").inputs["subnets"] if one["name"] == name)


def _holds(rules: Iterable[str], address: str) -> bool:
    """Whether Azure's reading of a rule's prefixes covers an address."""
    tags = {"*": True, "Internet": ip_address(address).is_global or address == INTERNET}
    return any(tags[one] if one in tags else _within(address, one) for one in rules)


def _within(address: str, text: str) -> bool:
    return text != "AzureLoadBalancer" and ip_address(address) in ip_network(text)


def _admits(group: dict[str, Any], source: str, destination: str, port: int) -> bool:
    """What a security group does with a TCP connection: the first rule that fits decides."""
    for rule in sorted(group["securityRules"], key=lambda one: one["priority"]):
        sources = rule.get("sourceAddressPrefixes") or [rule["sourceAddressPrefix"]]
        destinations = rule.get("destinationAddressPrefixes") or [rule["destinationAddressPrefix"]]
        ports = rule.get("destinationPortRanges") or [rule["destinationPortRange"]]
        if _holds(sources, source) and _holds(destinations, destination) and {"*", str(port)} & set(ports):
            return bool(rule["access"] == "Allow")
    raise AssertionError("no rule says what happens")


@pytest.mark.parametrize(
    ("subnet", "source", "destination", "port", "admitted"),
    [
        ("nodes", INTERNET, "20.50.1.1", 443, True),
        ("nodes", INTERNET, "20.50.1.1", 80, True),
        ("nodes", INTERNET, NODE, 22, False),
        ("nodes", INTERNET, NODE, 10250, False),
        ("nodes", NODE, NODE, 10250, True),
        ("nodes", POD, POD, 8080, True),
        ("nodes", NODE, POD, 8080, True),
        ("nodes", ENDPOINT, NODE, 10250, False),
        ("endpoints", NODE, ENDPOINT, 443, True),
        ("endpoints", INTERNET, ENDPOINT, 443, False),
        ("endpoints", POD, ENDPOINT, 443, False),
    ],
)
def test_what_comes_in(subnet: str, source: str, destination: str, port: int, admitted: bool) -> None:
    group = _declared().one("network:NetworkSecurityGroup", subnet).inputs
    assert _admits(group, source, destination, port) is admitted


def test_nobody_calls_a_machine_that_builds() -> None:
    rules = _declared(private=True).one("network:NetworkSecurityGroup", "builds").inputs["securityRules"]
    assert [(rule["access"], rule["sourceAddressPrefix"]) for rule in rules] == [("Deny", "*")]


def test_the_load_balancers_probes_come_in() -> None:
    rules = _declared().one("network:NetworkSecurityGroup", "nodes").inputs["securityRules"]
    probes = next(rule for rule in rules if rule.get("sourceAddressPrefix") == "AzureLoadBalancer")
    assert probes["access"] == "Allow"
    assert probes["priority"] < next(rule["priority"] for rule in rules if rule["access"] == "Deny")


@pytest.mark.parametrize("private", [False, True])
def test_every_subnet_is_guarded_and_leaves_only_where_it_is_told(private: bool) -> None:
    found = _declared(private=private)
    names = [subnet["name"] for subnet in found.one("network:VirtualNetwork").inputs["subnets"]]
    assert names == ["nodes", "endpoints", *(["builds"] if private else [])]
    for name in names:
        subnet = _subnet(found, name)
        assert subnet["networkSecurityGroup"]["id"] == f"/NetworkSecurityGroup/{name}"
        assert subnet["defaultOutboundAccess"] is False
    for name in {*names} - {"endpoints"}:
        assert _subnet(found, name)["natGateway"]["id"] == "/NatGateway/egress"
    assert "natGateway" not in _subnet(found, "endpoints")
    assert _subnet(found, "endpoints")["privateEndpointNetworkPolicies"] == "NetworkSecurityGroupEnabled"


def test_the_way_out_keeps_its_address() -> None:
    found = _declared()
    assert found.one("network:NatGateway").inputs["publicIpAddresses"] == [{"id": "/PublicIPAddress/egress"}]
    address = found.one("network:PublicIPAddress").inputs
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["sku"] == {"name": "Standard", "tier": "Regional"}


def test_a_private_network_resolves_every_services_names_itself() -> None:
    found = _declared(private=True)
    zones = {one.inputs["privateZoneName"] for one in found.of("privatedns:PrivateZone")}
    assert zones == {zone_name(WELL_KNOWN["public"], service) for service in Service}
    linked = {one.inputs["privateZoneName"] for one in found.of("privatedns:VirtualNetworkLink")}
    assert linked == {one.name for one in found.of("privatedns:PrivateZone")}
    for link in found.of("privatedns:VirtualNetworkLink"):
        assert link.inputs["virtualNetwork"] == {"id": "/VirtualNetwork/network"}


def test_a_private_network_has_a_way_to_every_service() -> None:
    made: list[Network] = []
    declare(lambda: made.append(Network("network", NetworkArgs(large(), NAMES, PRIVATE, WORKSPACE))))
    access = made[0].private_access
    assert access is not None
    assert set(access.zones) == set(Service)


def test_a_public_network_is_the_same_without_private_names() -> None:
    public, private = _declared(), _declared(private=True)
    assert not public.of("privatedns:PrivateZone")
    names = {
        "agents:azure:PrivateZones",
        "azure-native:privatedns:PrivateZone",
        "azure-native:privatedns:VirtualNetworkLink",
    }
    assert {one.type for one in private} - {one.type for one in public} == names
    assert {one.type for one in public} <= {one.type for one in private}


def test_everything_reports() -> None:
    told = {one.inputs["resourceUri"]: one.inputs for one in _declared().of("monitor:DiagnosticSetting")}
    assert set(told) == {
        "/NatGateway/egress",
        "/NetworkSecurityGroup/endpoints",
        "/NetworkSecurityGroup/nodes",
        "/PublicIPAddress/egress",
        "/VirtualNetwork/network",
    }
    for setting in told.values():
        assert setting["workspaceId"] == WORKSPACE
        assert setting.get("logs") or setting.get("metrics")


def _names(cloud: Cloud) -> dict[str, str]:
    return {service.name: zone_name(cloud, service) for service in Service}


def test_private_names_on_the_public_cloud() -> None:
    assert _names(WELL_KNOWN["public"]) == {
        "BLOB": "privatelink.blob.core.windows.net",
        "COSMOS": "privatelink.documents.azure.com",
        "EVENTS": "privatelink.eventgrid.azure.net",
        "OPENAI": "privatelink.openai.azure.com",
        "QUEUE": "privatelink.queue.core.windows.net",
        "REGISTRY": "privatelink.azurecr.io",
        "SQL": "privatelink.database.windows.net",
        "VAULT": "privatelink.vaultcore.azure.net",
    }


def test_private_names_on_sovereign_clouds() -> None:
    assert _names(WELL_KNOWN["usgovernment"]) == {
        "BLOB": "privatelink.blob.core.usgovcloudapi.net",
        "COSMOS": "privatelink.documents.azure.us",
        "EVENTS": "privatelink.eventgrid.azure.us",
        "OPENAI": "privatelink.openai.azure.us",
        "QUEUE": "privatelink.queue.core.usgovcloudapi.net",
        "REGISTRY": "privatelink.azurecr.us",
        "SQL": "privatelink.database.usgovcloudapi.net",
        "VAULT": "privatelink.vaultcore.usgovcloudapi.net",
    }
    assert _names(WELL_KNOWN["china"])["VAULT"] == "privatelink.vaultcore.azure.cn"
    assert _names(WELL_KNOWN["china"])["COSMOS"] == "privatelink.documents.azure.cn"


def test_private_names_follow_a_clouds_own_suffixes() -> None:
    assert _names(parse_metadata(METADATA)) == {
        "BLOB": "privatelink.blob.storage.example.test",
        "COSMOS": "privatelink.documents.example.test",
        "EVENTS": "privatelink.eventgrid.example.test",
        "OPENAI": "privatelink.openai.example.test",
        "QUEUE": "privatelink.queue.storage.example.test",
        "REGISTRY": "privatelink.azurecr.example.test",
        "SQL": "privatelink.database.example.test",
        "VAULT": "privatelink.vault.example.test",
    }
