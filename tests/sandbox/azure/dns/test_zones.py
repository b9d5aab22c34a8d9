"""Public zones: built-in records, what conflicts, and names that resolve."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Handler
from sandbox.arm.resource import Resource
from sandbox.azure.dns import HANDLERS
from sandbox.azure.dns.record_sets import RECORD_HANDLERS
from sandbox.azure.dns.zones import ZoneHandler
from tests.sandbox.azure.conftest import World

ZONE = "Microsoft.Network/dnsZones/azure.test"
BY_TYPE: dict[str, Any] = {handler.type.rpartition("/")[2]: handler for handler in RECORD_HANDLERS}


@pytest.fixture
def zone(world: World) -> Resource:
    return world.put(ZoneHandler, ZONE, {"location": "global"})


def put(world: World, record: str, name: str, zone: str = ZONE, **properties: Any) -> Resource:
    return world.put(BY_TYPE[record], f"{zone}/{record}/{name}", {"properties": {"TTL": 60, **properties}})


def test_a_zone_has_name_servers_and_its_own_records(world: World, zone: Resource) -> None:
    servers = zone.properties["nameServers"]
    assert len(servers) == 4
    assert world.put(ZoneHandler, ZONE, {"location": "global"}).properties["nameServers"] == servers
    shown = asyncio.run(ZoneHandler(world.services).view(zone))["properties"]
    assert (shown["numberOfRecordSets"], shown["zoneType"]) == (2, "Public")
    for record in ("NS", "SOA"):
        handler: Handler = BY_TYPE[record](world.services)
        found = world.store.get(f"{zone.id}/{record}/@")
        assert found is not None
        with pytest.raises(ArmError, match="apex cannot be deleted"):
            asyncio.run(handler.check_delete(found))


def test_an_a_record_resolves_until_it_goes(world: World, zone: Resource) -> None:
    record = put(world, "A", "agents-dev", ARecords=[{"ipv4Address": "10.77.1.100"}])
    assert record.properties["fqdn"] == "agents-dev.azure.test."
    assert world.hosts.names == {"agents-dev.azure.test": "10.77.1.100"}
    put(world, "A", "agents-dev", ARecords=[{"ipv4Address": "10.77.1.101"}])
    assert world.hosts.names == {"agents-dev.azure.test": "10.77.1.101"}
    put(world, "CNAME", "agents", CNAMERecord={"cname": "agents-dev.azure.test."})
    assert world.hosts.names["agents.azure.test"] == "10.77.1.101"
    world.hosts.names.clear()
    asyncio.run(BY_TYPE["A"](world.services).resume(record))
    assert world.hosts.names == {"agents-dev.azure.test": "10.77.1.100"}
    world.delete(list(HANDLERS), zone)
    assert world.hosts.names == {}
    assert not list(world.store.list(under=str(zone.id)))


def test_names_and_addresses_outside_the_sandbox_are_kept_but_not_published(
    world: World, zone: Resource
) -> None:
    elsewhere = "Microsoft.Network/dnsZones/example.com"
    world.put(ZoneHandler, elsewhere, {"location": "global"})
    put(world, "A", "www", elsewhere, ARecords=[{"ipv4Address": "10.77.1.100"}])
    put(world, "A", "far", ARecords=[{"ipv4Address": "203.0.113.9"}])
    put(world, "A", "*", ARecords=[{"ipv4Address": "10.77.1.100"}])
    assert world.hosts.names == {}


@pytest.mark.parametrize("name", ["management", "login", "graph", "vault", "mine.vault", "a.blob.storage"])
def test_the_clouds_own_names_cannot_be_taken(world: World, zone: Resource, name: str) -> None:
    with pytest.raises(ArmError) as refused:
        put(world, "A", name, ARecords=[{"ipv4Address": "10.77.1.100"}])
    assert refused.value.code == "ReservedName"
    with pytest.raises(ArmError, match="not available"):
        world.put(ZoneHandler, f"Microsoft.Network/dnsZones/{name}.azure.test", {"location": "global"})


@pytest.mark.parametrize(
    ("record", "name", "properties", "wording"),
    [
        ("A", "a", {}, "no A records"),
        ("A", "a", {"ARecords": [{"ipv4Address": "fd00::1"}]}, "not a valid IPv4"),
        ("A", "a", {"ARecords": [{"ipv4Address": "300.1.1.1"}]}, "not a valid IPv4"),
        ("AAAA", "a", {"AAAARecords": [{"ipv6Address": "10.0.0.1"}]}, "not a valid IPv6"),
        ("CNAME", "@", {"CNAMERecord": {"cname": "a.b"}}, "apex"),
    ],
)
def test_what_is_refused(world: World, record: str, name: str, properties: Any, wording: str) -> None:
    world.put(ZoneHandler, ZONE, {"location": "global"})
    with pytest.raises(ArmError, match=wording):
        put(world, record, name, **properties)


def test_a_cname_is_alone_at_its_name(world: World, zone: Resource) -> None:
    put(world, "TXT", "both", TXTRecords=[{"value": ["x"]}])
    with pytest.raises(ArmError, match="a TXT record with the same name"):
        put(world, "CNAME", "both", CNAMERecord={"cname": "a.b"})
    put(world, "CNAME", "alias", CNAMERecord={"cname": "a.b"})
    with pytest.raises(ArmError, match="a CNAME record with the same name"):
        put(world, "A", "alias", ARecords=[{"ipv4Address": "10.77.1.100"}])
