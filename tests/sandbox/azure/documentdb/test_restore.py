"""A restore brings back the account as of a moment: nothing newer, nothing missing, and nothing but its data.

https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-introduction
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.sandbox.azure.documentdb.clouds import GROUP, running
from tests.sandbox.azure.documentdb.estate import Estate, contents, moment, until
from tests.sandbox.served import Served, client


@pytest.fixture(scope="module")
def cloud() -> Iterator[Served]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def estate(cloud: Served) -> Estate:
    return Estate(cloud)


def test_documents_are_those_of_the_moment(estate: Estate) -> None:
    events = estate.filled("cosmos-past")
    for name in ("same", "changed", "deleted", "patched"):
        events.create_item({"id": name, "agent": "x", "n": 1})
    events.create_item({"id": "gone-before", "agent": "x"})
    events.delete_item("gone-before", "x")
    before = contents(events)
    at = moment()
    events.upsert_item({"id": "changed", "agent": "x", "n": 2})
    events.patch_item("patched", "x", [{"op": "incr", "path": "/n", "value": 1}])
    events.delete_item("deleted", "x")
    events.create_item({"id": "later", "agent": "y"})
    after = contents(events)

    made = estate.restore("cosmos-past-r", estate.restorable("cosmos-past"), at)
    restored = estate.events("cosmos-past-r")
    assert contents(restored) == before
    assert sorted(before) == ["changed", "deleted", "patched", "same"]
    query = "SELECT VALUE c.id FROM c WHERE c.n = 1"
    assert sorted(map(str, restored.query_items(query, partition_key="x"))) == sorted(before)
    # The source is as it was, and each goes its own way.
    restored.create_item({"id": "only-there", "agent": "x"})
    assert contents(events) == after
    assert "only-there" in contents(restored)
    source = estate.cosmos.database_accounts.get(GROUP, "cosmos-past")
    assert (made.provisioning_state, made.create_mode) == ("Succeeded", "Restore")
    assert made.instance_id != source.instance_id


def test_new_documents_of_a_restored_container_have_rids_of_their_own(estate: Estate) -> None:
    events = estate.filled("cosmos-rids")
    # Many writes of few documents: a restore makes few writes of its own.
    for number in range(20):
        events.upsert_item({"id": "0", "agent": "x", "n": number})
    for number in range(1, 20):
        events.create_item({"id": str(number), "agent": "x"})
    estate.restore("cosmos-rids-r", estate.restorable("cosmos-rids"), moment())
    restored = estate.events("cosmos-rids-r")
    for number in range(20, 40):
        restored.create_item({"id": str(number), "agent": "x"})
    assert len({one["_rid"] for one in contents(restored).values()}) == 40


def test_containers_and_their_settings_are_those_of_the_moment(estate: Estate) -> None:
    estate.filled("cosmos-shape")
    unique = {"uniqueKeys": [{"paths": ["/email"]}]}
    indexing = {"indexingMode": "consistent", "excludedPaths": [{"path": "/text/*"}]}
    estate.container(
        "cosmos-shape",
        "Ledger",
        throughput=700,
        defaultTtl=3600,
        indexingPolicy=indexing,
        uniqueKeyPolicy=unique,
    )
    estate.database("cosmos-shape", "Shared", autoscaleSettings={"maxThroughput": 2000})
    estate.container("cosmos-shape", "In", database="Shared")
    estate.open("cosmos-shape", "Ledger").create_item({"id": "1", "agent": "x", "email": "a"})
    sql = estate.sql
    before = sql.get_sql_container(GROUP, "cosmos-shape", "AgentsDB", "Ledger").resource
    at = moment()
    estate.container("cosmos-shape", "Ledger", defaultTtl=60, uniqueKeyPolicy=unique)
    sql.begin_update_sql_container_throughput(
        GROUP, "cosmos-shape", "AgentsDB", "Ledger", {"properties": {"resource": {"throughput": 900}}}
    ).result()
    sql.begin_delete_sql_container(GROUP, "cosmos-shape", "AgentsDB", "Events").result()
    sql.begin_delete_sql_database(GROUP, "cosmos-shape", "Shared").result()
    estate.container("cosmos-shape", "Later")

    estate.restore("cosmos-shape-r", estate.restorable("cosmos-shape"), at)
    names = [one.name for one in sql.list_sql_containers(GROUP, "cosmos-shape-r", "AgentsDB")]
    assert sorted(names) == ["Events", "Ledger"]
    assert [one.name for one in sql.list_sql_databases(GROUP, "cosmos-shape-r")] == ["AgentsDB", "Shared"]
    after = sql.get_sql_container(GROUP, "cosmos-shape-r", "AgentsDB", "Ledger").resource
    assert after.as_dict() == before.as_dict()
    own = sql.get_sql_container_throughput(GROUP, "cosmos-shape-r", "AgentsDB", "Ledger")
    assert own.resource.throughput == 700
    shared = sql.get_sql_database_throughput(GROUP, "cosmos-shape-r", "Shared")
    assert shared.resource.autoscale_settings.max_throughput == 2000
    with pytest.raises(ResourceNotFoundError):
        sql.get_sql_container_throughput(GROUP, "cosmos-shape-r", "Shared", "In")
    # The unique keys of what came back still count.
    ledger = estate.events("cosmos-shape-r", "Ledger")
    with pytest.raises(HttpResponseError, match="Unique index"):
        ledger.create_item({"id": "2", "agent": "x", "email": "a"})


def test_what_protects_an_account_is_not_restored(cloud: Served, estate: Estate) -> None:
    events = estate.filled(
        "cosmos-safe",
        # The address that this client comes from, as the data plane sees it.
        ipRules=[{"ipAddressOrRange": "192.0.2.1"}],
        locations=[
            {"locationName": "westeurope", "failoverPriority": 0},
            {"locationName": "northeurope", "failoverPriority": 1},
        ],
    )
    owner = estate.cosmos.database_accounts.get(GROUP, "cosmos-safe").id
    own = {
        "roleName": "Own",
        "type": "CustomRole",
        "assignableScopes": [owner],
        "permissions": [{"dataActions": ["Microsoft.DocumentDB/databaseAccounts/readMetadata"]}],
    }
    estate.sql.begin_create_update_sql_role_definition(
        str(uuid.uuid4()), GROUP, "cosmos-safe", {"properties": own}
    ).result()
    events.create_item({"id": "1", "agent": "x"})
    source, at = estate.restorable("cosmos-safe"), moment()

    made = estate.restore("cosmos-safe-r", source, at)
    assert (made.public_network_access, made.ip_rules) == ("Enabled", [])
    assert [place.location_name for place in made.read_locations] == ["westeurope"]
    assert list(estate.sql.list_sql_role_assignments(GROUP, "cosmos-safe-r")) == []
    roles = [role.role_name for role in estate.sql.list_sql_role_definitions(GROUP, "cosmos-safe-r")]
    assert sorted(roles) == ["Cosmos DB Built-in Data Contributor", "Cosmos DB Built-in Data Reader"]
    with pytest.raises(HttpResponseError) as refused:
        estate.open("cosmos-safe-r").read_item("1", "x")
    assert refused.value.status_code == 403
    closed = estate.restore("cosmos-safe-c", source, at, publicNetworkAccess="Disabled")
    assert closed.public_network_access == "Disabled"
    # Where the account also was, it can be restored too; `location` stays that of the source.
    north = [{"locationName": "North Europe", "failoverPriority": 0}]
    moved = estate.restore("cosmos-safe-n", source, at, locations=north)
    assert [place.location_name for place in moved.write_locations] == ["North Europe"]


def test_some_databases_or_containers(estate: Estate) -> None:
    estate.filled("cosmos-some")
    estate.container("cosmos-some", "Ledger")
    estate.database("cosmos-some", "Other")
    estate.container("cosmos-some", "Things", database="Other")
    source, at = estate.restorable("cosmos-some"), moment()
    one = [{"databaseName": "AgentsDB", "collectionNames": ["Ledger"]}]
    estate.restore("cosmos-some-1", source, at, databasesToRestore=one)
    assert [found.name for found in estate.sql.list_sql_databases(GROUP, "cosmos-some-1")] == ["AgentsDB"]
    inside = estate.sql.list_sql_containers(GROUP, "cosmos-some-1", "AgentsDB")
    assert [found.name for found in inside] == ["Ledger"]
    estate.restore("cosmos-some-2", source, at, databasesToRestore=[{"databaseName": "AgentsDB"}])
    inside = estate.sql.list_sql_containers(GROUP, "cosmos-some-2", "AgentsDB")
    assert [found.name for found in inside] == ["Events", "Ledger"]


def test_what_had_ended_stays_away_and_what_ends_can_be_kept(estate: Estate) -> None:
    estate.filled("cosmos-ttl")
    estate.container("cosmos-ttl", "Short", defaultTtl=2)
    short = estate.open("cosmos-ttl", "Short")
    short.create_item({"id": "ended", "agent": "x"})
    until(lambda: "ended" not in contents(short))
    short.create_item({"id": "still", "agent": "x"})
    short.create_item({"id": "forever", "agent": "x", "ttl": -1})
    source, at = estate.restorable("cosmos-ttl"), moment()
    until(lambda: "still" not in contents(short))

    estate.restore("cosmos-ttl-1", source, at)
    assert sorted(contents(estate.events("cosmos-ttl-1", "Short"))) == ["forever"]
    estate.restore("cosmos-ttl-2", source, at, restoreWithTtlDisabled=True)
    assert sorted(contents(estate.events("cosmos-ttl-2", "Short"))) == ["forever", "still"]
    kept = estate.sql.get_sql_container(GROUP, "cosmos-ttl-2", "AgentsDB", "Short")
    assert kept.resource.default_ttl is None


@pytest.mark.parametrize("how", ["alone", "with its group"])
def test_an_account_that_was_deleted(cloud: Served, estate: Estate, how: str) -> None:
    """Under its own name again, as of the moment it went: its containers are there with their documents."""
    group, name = f"rg-{len(how)}", f"cosmos-gone-{len(how)}"
    groups = client(cloud, ResourceManagementClient).resource_groups
    groups.create_or_update(group, {"location": "westeurope"})
    events = estate.filled(name, group=group)
    events.create_item({"id": "1", "agent": "x"})
    before = contents(events)
    instance = estate.cosmos.database_accounts.get(group, name).instance_id
    if how == "alone":
        estate.gone(name, group=group)
    else:
        groups.begin_delete(group).result()
    source = estate.restorable(name)
    assert (source.name, source.account_name) == (instance, name)
    assert source.creation_time < source.deletion_time
    made = estate.restore(name, source, source.deletion_time.isoformat())
    assert made.instance_id != instance
    assert contents(estate.events(name)) == before
    # The one that lives has no deletion time; both can be restored.
    both = [one for one in estate.cosmos.restorable_database_accounts.list() if one.account_name == name]
    assert sorted(one.deletion_time is None for one in both) == [False, True]
    with pytest.raises(HttpResponseError, match="outside the window"):
        estate.restore(f"{name}-r", source, moment())


def test_a_restored_account_has_a_window_of_its_own(estate: Estate) -> None:
    events = estate.filled("cosmos-twice")
    events.create_item({"id": "1", "agent": "x", "n": 1})
    first = moment()
    estate.restore("cosmos-twice-1", estate.restorable("cosmos-twice"), first)
    again = estate.restorable("cosmos-twice-1")
    assert again.oldest_restorable_time > estate.restorable("cosmos-twice").oldest_restorable_time
    with pytest.raises(HttpResponseError, match="outside the window"):
        estate.restore("cosmos-twice-2", again, first)
    restored = estate.events("cosmos-twice-1")
    restored.upsert_item({"id": "1", "agent": "x", "n": 2})
    before = contents(restored)
    second = moment()
    restored.delete_item("1", "x")
    estate.restore("cosmos-twice-2", again, second)
    assert contents(estate.events("cosmos-twice-2")) == before
    estate.restore("cosmos-twice-3", again, again.oldest_restorable_time.isoformat())
    assert contents(estate.events("cosmos-twice-3"))["1"]["n"] == 1


def test_the_same_request_again_changes_nothing(estate: Estate) -> None:
    events = estate.filled("cosmos-again")
    events.create_item({"id": "1", "agent": "x"})
    source, at = estate.restorable("cosmos-again"), moment()
    made = estate.restore("cosmos-again-r", source, at)
    restored = estate.events("cosmos-again-r")
    restored.create_item({"id": "2", "agent": "x"})
    estate.sql.begin_delete_sql_container(GROUP, "cosmos-again", "AgentsDB", "Events").result()
    before = contents(restored)
    repeated = estate.restore("cosmos-again-r", source, at)
    # Azure's create-only settings may also be left out, as a program that ignores their changes does.
    plain: Any = estate.account("cosmos-again-r")
    for one in (repeated, plain):
        assert (one.instance_id, one.create_mode) == (made.instance_id, "Restore")
        assert one.restore_parameters.restore_source == source.id
    assert contents(restored) == before
    with pytest.raises(HttpResponseError, match="cannot be changed"):
        estate.restore("cosmos-again-r", source, moment())
    # Also what was deleted since stays deleted, and a region can be added.
    estate.sql.begin_delete_sql_container(GROUP, "cosmos-again-r", "AgentsDB", "Events").result()
    places = [
        {"locationName": "westeurope", "failoverPriority": 0},
        {"locationName": "northeurope", "failoverPriority": 1},
    ]
    assert len(estate.restore("cosmos-again-r", source, at, locations=places).read_locations) == 2
    assert list(estate.sql.list_sql_containers(GROUP, "cosmos-again-r", "AgentsDB")) == []


def test_a_restored_account_is_backed_up_as_its_source_is(estate: Estate) -> None:
    estate.filled("cosmos-tier")
    source, at = estate.restorable("cosmos-tier"), moment()
    sent = estate.request(source, at)
    del sent["properties"]["backupPolicy"]
    made = estate.cosmos.database_accounts.begin_create_or_update(GROUP, "cosmos-tier-r", sent).result()
    assert made.backup_policy.type == "Continuous"
    assert made.backup_policy.continuous_mode_properties.tier == "Continuous7Days"
