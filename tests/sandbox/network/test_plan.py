"""What is put in force as endpoints, zones, links and clusters come and go."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from sandbox.network import addresses
from sandbox.network.plan import compute
from tests.sandbox.network.world import Paper

ZONE, NAME, ALIAS = "privatelink.vault.azure.test", "kv.vault.azure.test", "kv.privatelink.vault.azure.test"
#: The first address of the endpoints' subnet that Azure does not keep.
FIRST = IPv4Address("10.240.16.4")
WAY = IPv4Address("10.77.252.1")
NODE = IPv4Address("10.77.1.11")


def test_an_endpoint_with_a_zone_leads_its_network_and_the_host_to_the_service(cloud: Paper) -> None:
    network = cloud.network("one")
    cloud.cluster("c", network)
    zone = cloud.zone(ZONE, network)
    cloud.zone_group(cloud.endpoint("pe", network, cloud.vault("kv"), "vault"), zone)
    plan = cloud.fabric.plan
    assert plan.ways == {(NODE, FIRST): WAY}
    (view,) = plan.views
    assert view.clients == (NODE,)
    assert view.names == {NAME: FIRST, ALIAS: FIRST}
    assert plan.host_names == {NAME: WAY, ALIAS: WAY}


@pytest.mark.parametrize("name", ["privatelink.vaultcore.azure.test", ZONE])
def test_both_names_of_the_vaults_zone_are_known(cloud: Paper, name: str) -> None:
    network = cloud.network("one")
    cloud.zone_group(cloud.endpoint("pe", network, cloud.vault("kv"), "vault"), cloud.zone(name, network))
    assert cloud.fabric.plan.host_names[NAME] == WAY


def test_a_zone_of_another_service_leads_nowhere(cloud: Paper) -> None:
    network = cloud.network("one")
    zone = cloud.zone("privatelink.documents.azure.test", network)
    cloud.zone_group(cloud.endpoint("pe", network, cloud.vault("kv"), "vault"), zone)
    assert NAME not in cloud.fabric.plan.host_names


def test_networks_with_one_address_plan_are_kept_apart(cloud: Paper) -> None:
    one, two = cloud.network("one"), cloud.network("two")
    cloud.cluster("a", one)
    cloud.cluster("b", two)
    zones = cloud.zone(ZONE, one), cloud.zone("privatelink.queue.storage.azure.test", two)
    store = cloud.save(
        "Microsoft.Storage/storageAccounts/st",
        {"primaryEndpoints": {"queue": "https://st.queue.storage.azure.test/"}},
    )
    cloud.zone_group(cloud.endpoint("pe1", one, cloud.vault("kv"), "vault"), zones[0])
    cloud.zone_group(cloud.endpoint("pe2", two, store, "queue"), zones[1])
    plan = cloud.fabric.plan
    assert plan.ways == {
        (IPv4Address("10.77.1.11"), FIRST): IPv4Address("10.77.252.1"),
        (IPv4Address("10.77.2.11"), FIRST): IPv4Address("10.77.252.2"),
    }
    assert [set(view.names) & {NAME, "st.queue.storage.azure.test"} for view in plan.views] == [
        {NAME},
        {"st.queue.storage.azure.test"},
    ]


def test_without_zone_group_or_link_there_is_an_address_and_no_name(cloud: Paper) -> None:
    network = cloud.network("one")
    cloud.cluster("c", network)
    zone = cloud.zone(ZONE)
    endpoint = cloud.endpoint("pe", network, cloud.vault("kv"), "vault")
    assert cloud.fabric.plan.ways == {(NODE, FIRST): WAY}
    cloud.zone_group(endpoint, zone)
    assert cloud.fabric.plan.views == ()
    assert cloud.fabric.plan.host_names == {}
    cloud.link(zone, network)
    assert cloud.fabric.plan.host_names[NAME] == WAY


@pytest.mark.parametrize("which", ["group", "link", "endpoint"])
def test_what_is_deleted_takes_the_way_away(cloud: Paper, which: str) -> None:
    network = cloud.network("one")
    cloud.cluster("c", network)
    zone = cloud.zone(ZONE)
    made = {"link": cloud.link(zone, network)}
    made["endpoint"] = cloud.endpoint("pe", network, cloud.vault("kv"), "vault")
    made["group"] = cloud.zone_group(made["endpoint"], zone)
    assert cloud.fabric.plan.views
    cloud.delete(made[which])
    assert cloud.fabric.plan.views == ()
    assert cloud.fabric.plan.host_names == {}
    assert bool(cloud.fabric.plan.ways) == (which != "endpoint")


def test_an_address_stays_an_endpoints_own_and_is_free_after_it(cloud: Paper) -> None:
    network = cloud.network("one")
    first = cloud.endpoint("pe1", network, cloud.vault("one"), "vault")
    cloud.endpoint("pe2", network, cloud.vault("two"), "vault")
    before = cloud.node_file()
    assert sorted(before.values()) == [1, 2]
    cloud.delete(first)
    assert list(cloud.node_file().values()) == [2]
    cloud.endpoint("pe0", network, cloud.vault("three"), "vault")
    assert sorted(cloud.node_file().values()) == [1, 2]


def test_a_zone_may_hold_addresses_of_its_own(cloud: Paper) -> None:
    network = cloud.network("one")
    cloud.cluster("c", network)
    zone = cloud.zone("corp.internal", network)
    cloud.save(f"{zone.id}/A/db", {"aRecords": [{"ipv4Address": "10.240.9.9"}]})
    cloud.save(f"{zone.id}/A/@", {"aRecords": [{"ipv4Address": "10.240.9.8"}]})
    cloud.network("two")  # whatever is written puts all in force
    cloud.zone("other.internal", network)
    (view,) = cloud.fabric.plan.views
    assert view.names == {
        "corp.internal": IPv4Address("10.240.9.8"),
        "db.corp.internal": IPv4Address("10.240.9.9"),
    }
    # The host is not led to addresses that are nobody's.
    assert cloud.fabric.plan.host_names == {}


def test_a_cluster_leaves_by_the_nat_gateway_of_its_subnet(cloud: Paper) -> None:
    gateway = cloud.nat_gateway("nat")
    cloud.cluster("a", cloud.network("one", natGateway={"id": str(gateway.id)}))
    cloud.cluster("b", None)
    cloud.zone("corp.internal", cloud.network("two"))
    outbound = cloud.fabric.plan.outbound
    assert outbound[IPv4Address("10.77.1.11")] in IPv4Network("198.18.0.0/15")
    assert outbound[IPv4Address("10.77.2.11")] in addresses.CLUSTERS


def test_a_private_api_server_answers_its_network_and_the_host(cloud: Paper) -> None:
    network, other = cloud.network("one"), cloud.network("two")
    name = "c.privatelink.westeurope.azmk8s.azure.test"
    private = {"apiServerAccessProfile": {"enablePrivateCluster": True}, "privateFQDN": name}
    cloud.cluster("a", network, **private)
    cloud.cluster("b", network)
    cloud.cluster("c", other)
    cloud.zone("corp.internal", network)
    gates = {str(gate.address): gate for gate in cloud.fabric.plan.gates}
    guarded = gates["10.77.1.10"]
    assert guarded.sources is not None
    assert not guarded.on_the_internet
    inside = {str(one.network_address) for one in guarded.sources}
    assert inside == {"10.77.0.1", "10.77.0.254", "10.77.1.10", "10.77.1.11", "10.77.2.11"}
    assert gates["10.77.2.10"].sources is None
    assert gates["10.77.2.10"].on_the_internet
    (view,) = cloud.fabric.plan.views
    assert view.clients == (IPv4Address("10.77.1.11"), IPv4Address("10.77.2.11"))
    assert view.names == {name: IPv4Address("10.77.1.10")}
    assert cloud.fabric.plan.host_names == {name: IPv4Address("10.77.1.10")}


@pytest.mark.parametrize(
    ("ranges", "host"), [(["203.0.113.0/24"], False), (["198.51.100.1/32", "203.0.113.0/24"], True)]
)
def test_authorized_ranges_are_held_against_public_addresses(
    cloud: Paper, ranges: list[str], host: bool
) -> None:
    gateway = cloud.nat_gateway("nat")
    profile = {"apiServerAccessProfile": {"authorizedIPRanges": ranges}}
    cloud.cluster("a", cloud.network("one"), **profile)
    cloud.cluster("b", cloud.network("two", natGateway={"id": str(gateway.id)}))
    listed = {"apiServerAccessProfile": {"authorizedIPRanges": ["198.18.0.0/15"]}}
    cloud.cluster("c", None, **listed)
    cloud.zone("corp.internal", cloud.network("three"))
    gates = {str(gate.address): gate for gate in cloud.fabric.plan.gates}
    sources = gates["10.77.1.10"].sources
    assert sources is not None
    assert IPv4Network("203.0.113.0/24") in sources
    assert (IPv4Network("10.77.0.254/32") in sources) == host
    assert IPv4Network("10.77.1.11/32") in sources
    assert IPv4Network("10.77.2.11/32") not in sources
    assert IPv4Network("10.77.2.11/32") in (gates["10.77.3.10"].sources or ())
    assert gates["10.77.1.10"].on_the_internet


def test_a_failover_groups_listener_leads_where_its_primary_is(cloud: Paper) -> None:
    network = cloud.network("one")
    zone = cloud.zone("privatelink.database.azure.test", network)
    server = cloud.save(
        "Microsoft.Sql/servers/sql-one", {"fullyQualifiedDomainName": "sql-one.database.azure.test"}
    )
    cloud.zone_group(cloud.endpoint("pe", network, server, "sqlServer"), zone)

    def listener(role: str) -> dict[str, IPv4Address]:
        group = "Microsoft.Sql/servers/sql-one/failoverGroups/fog"
        cloud.save(group, {"replicationRole": role})
        names = compute(cloud.world.services.config, cloud.world.store).host_names
        return {name: way for name, way in names.items() if name.startswith("fog")}

    assert listener("Primary") == {"fog.database.azure.test": WAY}
    assert listener("Secondary") == {"fog.secondary.database.azure.test": WAY}
