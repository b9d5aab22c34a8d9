"""Virtual networks, subnets and what refers to them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Handler
from sandbox.arm.resource import Resource
from sandbox.azure.network.private_endpoints import PrivateEndpointHandler, ZoneGroupHandler
from sandbox.azure.network.private_zones import LinkHandler, PrivateZoneHandler
from sandbox.azure.network.public_addresses import NatGatewayHandler, PublicAddressHandler
from sandbox.azure.network.security_groups import RouteTableHandler, SecurityGroupHandler, SecurityRuleHandler
from sandbox.azure.network.virtual_networks import SubnetHandler, VirtualNetworkHandler
from tests.sandbox.azure.conftest import GROUP, World

NETWORK = "Microsoft.Network/virtualNetworks/vnet"
HANDLERS: list[type[Handler]] = [
    VirtualNetworkHandler,
    SubnetHandler,
    SecurityGroupHandler,
    SecurityRuleHandler,
    PrivateEndpointHandler,
    NatGatewayHandler,
    PublicAddressHandler,
]


def view(world: World, handler: type[Handler], resource: Resource) -> dict[str, Any]:
    return asyncio.run(handler(world.services).view(resource))


def network_body(space: tuple[str, ...] = ("10.0.0.0/16",), **subnets: Any) -> dict[str, Any]:
    listed = [
        {"name": name, "properties": {"addressPrefix": value} if isinstance(value, str) else value}
        for name, value in subnets.items()
    ]
    properties: dict[str, Any] = {"addressSpace": {"addressPrefixes": list(space)}}
    return {"location": "westeurope", "properties": {**properties, **({"subnets": listed} if listed else {})}}


def test_subnets_are_one_however_they_are_written(world: World) -> None:
    network = world.put(VirtualNetworkHandler, NETWORK, network_body(a="10.0.0.0/24", b="10.0.1.0/24"))
    first = view(world, VirtualNetworkHandler, network)["properties"]
    assert [s["name"] for s in first["subnets"]] == ["a", "b"]
    assert first["subnets"][0]["id"] == f"{network.id}/subnets/a"
    assert first["subnets"][0]["properties"]["privateEndpointNetworkPolicies"] == "Disabled"
    world.put(SubnetHandler, f"{NETWORK}/subnets/c", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    network = world.put(VirtualNetworkHandler, NETWORK, network_body())
    again = view(world, VirtualNetworkHandler, network)["properties"]
    assert [s["name"] for s in again["subnets"]] == ["a", "b", "c"]
    assert again["resourceGuid"] == first["resourceGuid"]
    network = world.put(VirtualNetworkHandler, NETWORK, network_body(c="10.0.2.0/24"))
    assert [s["name"] for s in view(world, VirtualNetworkHandler, network)["properties"]["subnets"]] == ["c"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (network_body(space=()), "InvalidAddressSpace"),
        (network_body(space=("10.0.0.0",), a="10.0.0.0/40"), "InvalidAddressPrefixFormat"),
        (network_body(space=("10.0.0.1/16",)), "InvalidAddressPrefixFormat"),
        (network_body(space=("10.0.0.0/16", "10.0.128.0/17")), "AddressPrefixesOverlap"),
        (network_body(a="10.1.0.0/24"), "NetcfgInvalidSubnet"),
        (network_body(a="10.0.0.0/30"), "NetcfgInvalidSubnet"),
        (network_body(a="10.0.0.0/24", b="10.0.0.128/25"), "NetcfgSubnetRangesOverlap"),
        (network_body(a={}), "InvalidRequestFormat"),
        (network_body(a="10.0.0.0/24", A="10.0.1.0/24"), "InvalidRequestFormat"),
        (
            network_body(
                a={"addressPrefix": "10.0.0.0/24", "natGateway": {"id": f"{GROUP}/providers/x/y/z"}}
            ),
            "InvalidResourceReference",
        ),
    ],
)
def test_what_is_refused(world: World, body: dict[str, Any], code: str) -> None:
    with pytest.raises(ArmError) as refused:
        world.put(VirtualNetworkHandler, NETWORK, body)
    assert refused.value.code == code
    assert not list(world.store.list(under=GROUP))


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.9.0.0/24", "NetcfgInvalidSubnet"),
        ("x", "InvalidAddressPrefixFormat"),
    ],
)
def test_subnets_on_their_own_are_held_against_their_siblings(world: World, prefix: str, code: str) -> None:
    world.put(VirtualNetworkHandler, NETWORK, network_body(a="10.0.0.0/24"))
    with pytest.raises(ArmError) as refused:
        world.put(SubnetHandler, f"{NETWORK}/subnets/b", {"properties": {"addressPrefix": prefix}})
    assert refused.value.code == code
    world.put(SubnetHandler, f"{NETWORK}/subnets/a", {"properties": {"addressPrefix": "10.0.0.0/23"}})


def test_a_network_cannot_shrink_under_its_subnets(world: World) -> None:
    world.put(VirtualNetworkHandler, NETWORK, network_body(a="10.0.4.0/24"))
    with pytest.raises(ArmError, match="outside the IP address range"):
        world.put(VirtualNetworkHandler, NETWORK, network_body(space=("10.0.0.0/22",)))


def test_ipv6_subnets_are_64(world: World) -> None:
    body = network_body(space=("10.0.0.0/16", "fd00::/48"))
    for size, fits in ((64, True), (65, False)):
        body["properties"]["subnets"] = [
            {"name": "a", "properties": {"addressPrefixes": ["10.0.0.0/24", f"fd00::/{size}"]}}
        ]
        if fits:
            world.put(VirtualNetworkHandler, NETWORK, body)
        else:
            with pytest.raises(ArmError, match="too small"):
                world.put(VirtualNetworkHandler, NETWORK, body)


def test_security_groups_check_their_rules(world: World) -> None:
    def rule(name: str, priority: int, direction: str = "Inbound") -> dict[str, Any]:
        return {"name": name, "properties": {"priority": priority, "direction": direction, "access": "Allow"}}

    path = "Microsoft.Network/networkSecurityGroups/nsg"
    body = {
        "location": "westeurope",
        "properties": {"securityRules": [rule("a", 100), rule("b", 100, "Outbound")]},
    }
    made = view(world, SecurityGroupHandler, world.put(SecurityGroupHandler, path, body))["properties"]
    assert [r["name"] for r in made["securityRules"]] == ["a", "b"]
    assert {r["name"] for r in made["defaultSecurityRules"]} >= {"DenyAllInBound", "AllowInternetOutBound"}
    with pytest.raises(ArmError) as conflict:
        world.put(
            SecurityRuleHandler, f"{path}/securityRules/c", {"properties": rule("c", 100)["properties"]}
        )
    assert conflict.value.code == "SecurityRuleConflict"
    for priority in (99, 4097):
        with pytest.raises(ArmError) as invalid:
            world.put(SecurityGroupHandler, path, {"properties": {"securityRules": [rule("a", priority)]}})
        assert invalid.value.code == "SecurityRuleInvalidPriority"


def test_what_is_in_use_stays(world: World) -> None:
    guard = world.put(SecurityGroupHandler, "Microsoft.Network/networkSecurityGroups/nsg", {"properties": {}})
    address = world.put(
        PublicAddressHandler,
        "Microsoft.Network/publicIPAddresses/pip",
        {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
    )
    gateway = world.put(
        NatGatewayHandler,
        "Microsoft.Network/natGateways/nat",
        {"sku": {"name": "Standard"}, "properties": {"publicIpAddresses": [{"id": str(address.id)}]}},
    )
    subnet = {
        "addressPrefix": "10.0.0.0/24",
        "networkSecurityGroup": {"id": str(guard.id).upper()},
        "natGateway": {"id": str(gateway.id)},
    }
    network = world.put(VirtualNetworkHandler, NETWORK, network_body(a=subnet))
    assert view(world, NatGatewayHandler, gateway)["properties"]["subnets"] == [
        {"id": f"{network.id}/subnets/a"}
    ]
    for held, code in (
        (guard, "InUseNetwork"),
        (address, "PublicIPAddressCannot"),
        (gateway, "InUseNatGateway"),
    ):
        with pytest.raises(ArmError) as refused:
            world.delete(HANDLERS, held)
        assert refused.value.code.startswith(code)
    for resource in (network, guard, gateway, address):
        world.delete(HANDLERS, resource)
    assert not list(world.store.list(under=GROUP))


def test_public_addresses_are_distinct_and_stay(world: World) -> None:
    def put(name: str, **properties: Any) -> Resource:
        body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": properties}
        return world.put(PublicAddressHandler, f"Microsoft.Network/publicIPAddresses/{name}", body)

    first = put("one", publicIPAllocationMethod="Static", dnsSettings={"domainNameLabel": "agents"})
    assert first.properties["dnsSettings"]["fqdn"] == "agents.westeurope.cloudapp.azure.test"
    second = put("two", publicIPAllocationMethod="Static")
    assert first.properties["ipAddress"] != second.properties["ipAddress"]
    assert (
        put("one", publicIPAllocationMethod="Static").properties["ipAddress"] == first.properties["ipAddress"]
    )
    with pytest.raises(ArmError, match="Static"):
        put("three", publicIPAllocationMethod="Dynamic")
    put("one", publicIPAllocationMethod="Static", dnsSettings={"domainNameLabel": "agents"})
    with pytest.raises(ArmError, match="already used"):
        put("two", publicIPAllocationMethod="Static", dnsSettings={"domainNameLabel": "Agents"})


def test_route_tables_keep_their_routes(world: World) -> None:
    route = {"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}
    body = {"location": "westeurope", "properties": {"routes": [route]}}
    table = world.put(RouteTableHandler, "Microsoft.Network/routeTables/rt", body)
    assert [r["name"] for r in view(world, RouteTableHandler, table)["properties"]["routes"]] == ["out"]


def test_private_endpoints_have_an_address_and_names(world: World) -> None:
    network = world.put(VirtualNetworkHandler, NETWORK, network_body(a="10.0.0.0/24"))
    subnet = f"{network.id}/subnets/a"
    target = world.put(
        Handler, "Microsoft.KeyVault/vaults/kv", {"properties": {"vaultUri": "https://kv.vault.azure.test/"}}
    )
    connection = {"name": "c", "properties": {"privateLinkServiceId": str(target.id), "groupIds": ["vault"]}}
    body = {
        "location": "westeurope",
        "properties": {"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]},
    }
    path = "Microsoft.Network/privateEndpoints/pe"
    endpoint = world.put(PrivateEndpointHandler, path, body)
    expected = [{"fqdn": "kv.vault.azure.test", "ipAddresses": ["10.0.0.4"]}]
    assert endpoint.properties["customDnsConfigs"] == expected
    assert world.put(PrivateEndpointHandler, path, body).properties["customDnsConfigs"] == expected
    other = world.put(PrivateEndpointHandler, f"{path}2", body)
    assert other.properties["customDnsConfigs"][0]["ipAddresses"] == ["10.0.0.5"]
    shown = view(world, VirtualNetworkHandler, network)["properties"]["subnets"][0]["properties"]
    assert {one["id"] for one in shown["privateEndpoints"]} == {str(endpoint.id), str(other.id)}
    with pytest.raises(ArmError) as refused:
        world.delete(HANDLERS, network)
    assert refused.value.code == "InUseSubnetCannotBeDeleted"
    zone = world.put(
        PrivateZoneHandler,
        "Microsoft.Network/privateDnsZones/privatelink.vault.azure.test",
        {"location": "global"},
    )
    link = {"properties": {"virtualNetwork": {"id": str(network.id)}}}
    world.put(LinkHandler, f"{zone.id}/virtualNetworkLinks/one", link)
    with pytest.raises(ArmError, match="already"):
        world.put(LinkHandler, f"{zone.id}/virtualNetworkLinks/two", link)
    config = {"name": "vault", "properties": {"privateDnsZoneId": str(zone.id)}}
    group = world.put(
        ZoneGroupHandler,
        f"{path}/privateDnsZoneGroups/default",
        {"properties": {"privateDnsZoneConfigs": [config]}},
    )
    record = world.store.get(f"{zone.id}/A/kv")
    assert record is not None
    assert record.properties["aRecords"] == [{"ipv4Address": "10.0.0.4"}]
    counts = view(world, PrivateZoneHandler, zone)["properties"]
    assert (counts["numberOfRecordSets"], counts["numberOfVirtualNetworkLinks"]) == (2, 1)
    world.delete([ZoneGroupHandler], group)
    assert world.store.get(f"{zone.id}/A/kv") is None


def test_private_endpoints_need_what_they_name(world: World) -> None:
    network = world.put(VirtualNetworkHandler, NETWORK, network_body(a="10.0.0.0/24"))
    properties: dict[str, Any] = {"subnet": {"id": f"{network.id}/subnets/a"}}
    path = "Microsoft.Network/privateEndpoints/pe"
    with pytest.raises(ArmError, match="exactly one"):
        world.put(PrivateEndpointHandler, path, {"properties": properties})
    properties["privateLinkServiceConnections"] = [
        {"properties": {"privateLinkServiceId": f"{GROUP}/providers/a/b/c"}}
    ]
    with pytest.raises(ArmError, match="was not found"):
        world.put(PrivateEndpointHandler, path, {"properties": properties})
