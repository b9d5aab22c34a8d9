"""The control plane through the unmodified azure-mgmt-cosmosdb client, on the real ARM core."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos import CosmosClient
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.config import SUBSCRIPTION_ID
from tests.sandbox.azure.documentdb.clouds import GROUP, KEY, body, running
from tests.sandbox.served import Served, client, credential

CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Served]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def cosmos(cloud: Served) -> Any:
    return client(cloud, CosmosDBManagementClient)


@pytest.fixture(scope="module")
def account(cosmos: Any) -> str:
    sent = body(
        disableLocalAuth=True,
        backupPolicy={"type": "Continuous", "continuousModeProperties": {"tier": "Continuous7Days"}},
    )
    cosmos.database_accounts.begin_create_or_update(GROUP, "cosmos-dev", sent).result()
    database = {"properties": {"resource": {"id": "AgentsDB"}, "options": {}}}
    cosmos.sql_resources.begin_create_update_sql_database(GROUP, "cosmos-dev", "AgentsDB", database).result()
    return "cosmos-dev"


def container(
    cosmos: Any, account: str, name: str, options: dict[str, Any] | None = None, **resource: Any
) -> Any:
    sent = {
        "properties": {"resource": {"id": name, "partitionKey": KEY, **resource}, "options": options or {}}
    }
    return cosmos.sql_resources.begin_create_update_sql_container(
        GROUP, account, "AgentsDB", name, sent
    ).result()


def test_an_account_shows_what_azure_shows(cosmos: Any, account: str) -> None:
    found = cosmos.database_accounts.get(GROUP, account)
    assert found.document_endpoint == "https://cosmos-dev.documents.azure.test:443/"
    assert found.provisioning_state == "Succeeded"
    assert uuid.UUID(found.instance_id)
    assert found.backup_policy.type == "Continuous"
    assert found.backup_policy.continuous_mode_properties.tier == "Continuous7Days"
    assert found.consistency_policy.default_consistency_level == "Session"
    assert [place.failover_priority for place in found.read_locations] == [0]
    assert (
        found.write_locations[0].document_endpoint
        == "https://cosmos-dev-westeurope.documents.azure.test:443/"
    )
    assert (found.kind, found.database_account_offer_type) == ("GlobalDocumentDB", "Standard")
    again = cosmos.database_accounts.begin_create_or_update(
        GROUP, account, body(disableLocalAuth=True, backupPolicy={"type": "Continuous"})
    ).result()
    assert again.instance_id == found.instance_id
    assert cosmos.database_accounts.check_name_exists(account) is True
    assert cosmos.database_accounts.check_name_exists("cosmos-none") is False


def test_keys_are_refused_where_they_do_not_work(cosmos: Any, account: str) -> None:
    for list_them in (
        cosmos.database_accounts.list_keys,
        cosmos.database_accounts.list_read_only_keys,
        cosmos.database_accounts.list_connection_strings,
    ):
        with pytest.raises(HttpResponseError, match="disableLocalAuth") as refused:
            list_them(GROUP, account)
        assert refused.value.status_code == 403


def test_keys_where_they_work(cosmos: Any) -> None:
    accounts = cosmos.database_accounts
    accounts.begin_create_or_update(GROUP, "cosmos-keys", body()).result()
    keys = accounts.list_keys(GROUP, "cosmos-keys")
    assert len({keys.primary_master_key, keys.secondary_master_key, keys.primary_readonly_master_key}) == 3
    accounts.begin_regenerate_key(GROUP, "cosmos-keys", {"keyKind": "secondary"}).result()
    after = accounts.list_keys(GROUP, "cosmos-keys")
    assert after.primary_master_key == keys.primary_master_key
    assert after.secondary_master_key != keys.secondary_master_key
    strings = accounts.list_connection_strings(GROUP, "cosmos-keys").connection_strings
    assert strings[0].connection_string == (
        f"AccountEndpoint=https://cosmos-keys.documents.azure.test:443/;AccountKey={keys.primary_master_key};"
    )
    assert accounts.get(GROUP, "cosmos-keys").backup_policy.type == "Periodic"
    accounts.begin_delete(GROUP, "cosmos-keys").result()


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"locations": []}, "location"),
        ({"locations": [{"locationName": "atlantis", "failoverPriority": 0}]}, "atlantis"),
        ({"locations": [{"locationName": "westeurope", "failoverPriority": 1}]}, "failover priorities"),
        ({"nonsense": 1}, "nonsense"),
        ({"disableLocalAuth": "yes"}, "disableLocalAuth"),
    ],
)
def test_a_bad_account_is_refused(cosmos: Any, properties: dict[str, Any], words: str) -> None:
    with pytest.raises(HttpResponseError, match=words) as refused:
        cosmos.database_accounts.begin_create_or_update(GROUP, "cosmos-bad", body(**properties)).result()
    assert refused.value.status_code == 400
    with pytest.raises(ResourceNotFoundError):
        cosmos.database_accounts.get(GROUP, "cosmos-bad")


def test_a_name_is_taken_in_the_whole_cloud(cloud: Served, cosmos: Any, account: str) -> None:
    groups = client(cloud, ResourceManagementClient).resource_groups
    groups.create_or_update("rg-other", {"location": "westeurope"})
    with pytest.raises(HttpResponseError, match="already in use") as refused:
        cosmos.database_accounts.begin_create_or_update("rg-other", account, body()).result()
    assert refused.value.status_code == 409


def test_continuous_backup_stays(cosmos: Any, account: str) -> None:
    with pytest.raises(HttpResponseError, match="cannot be migrated"):
        cosmos.database_accounts.begin_create_or_update(
            GROUP, account, body(backupPolicy={"type": "Periodic"})
        ).result()


def test_a_second_region_can_become_the_first(cosmos: Any) -> None:
    places = [
        {"locationName": "westeurope", "failoverPriority": 0},
        {"locationName": "northeurope", "failoverPriority": 1},
    ]
    accounts = cosmos.database_accounts
    accounts.begin_create_or_update(GROUP, "cosmos-two", body(locations=places)).result()
    swapped = [{**place, "failoverPriority": 1 - int(place["failoverPriority"])} for place in places]  # type: ignore[call-overload]
    accounts.begin_failover_priority_change(GROUP, "cosmos-two", {"failoverPolicies": swapped}).result()
    found = accounts.get(GROUP, "cosmos-two")
    assert [place.location_name for place in found.write_locations] == ["northeurope"]
    assert [place.location_name for place in found.read_locations] == ["northeurope", "westeurope"]
    accounts.begin_delete(GROUP, "cosmos-two").result()


def test_a_container_has_azures_defaults(cosmos: Any, account: str) -> None:
    made = container(cosmos, account, "Defaults")
    resource = made.resource
    assert (resource.id, resource.partition_key.paths) == ("Defaults", ["/agent"])
    assert resource.indexing_policy.indexing_mode == "consistent"
    assert [path.path for path in resource.indexing_policy.included_paths] == ["/*"]
    assert resource.conflict_resolution_policy.mode == "LastWriterWins"
    assert resource.rid
    assert resource.ts
    assert resource.etag
    listed = cosmos.sql_resources.list_sql_containers(GROUP, account, "AgentsDB")
    assert "Defaults" in [one.name for one in listed]


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"partitionKey": {"paths": ["/other"], "kind": "Hash"}}, "partition key cannot be changed"),
        ({"uniqueKeyPolicy": {"uniqueKeys": [{"paths": ["/x"]}]}}, "unique index cannot be modified"),
        ({"defaultTtl": 0}, "ttl"),
        ({"id": "Other"}, "not the name"),
    ],
)
def test_what_never_changes_in_a_container(
    cosmos: Any, account: str, resource: dict[str, Any], words: str
) -> None:
    container(cosmos, account, "Fixed", uniqueKeyPolicy={"uniqueKeys": []})
    with pytest.raises(HttpResponseError, match=words):
        container(cosmos, account, "Fixed", **resource)


def test_throughput_is_changed_on_its_own(cosmos: Any, account: str) -> None:
    container(cosmos, account, "Fast", {"throughput": 500})
    sql = cosmos.sql_resources
    where = (GROUP, account, "AgentsDB", "Fast")
    assert sql.get_sql_container_throughput(*where).resource.throughput == 500
    changed = sql.begin_update_sql_container_throughput(
        *where, {"properties": {"resource": {"throughput": 1000}}}
    ).result()
    assert changed.resource.throughput == 1000
    container(cosmos, account, "Fast", {"throughput": 400})
    assert sql.get_sql_container_throughput(*where).resource.throughput == 1000
    scaled = sql.begin_migrate_sql_container_to_autoscale(*where).result()
    assert scaled.resource.autoscale_settings.max_throughput == 1000
    back = sql.begin_migrate_sql_container_to_manual_throughput(*where).result()
    assert (back.resource.throughput, back.resource.autoscale_settings) == (1000, None)
    with pytest.raises(HttpResponseError, match="increments of 100"):
        sql.begin_update_sql_container_throughput(
            *where, {"properties": {"resource": {"throughput": 450}}}
        ).result()


def test_a_container_has_throughput_unless_its_database_shares_some(cosmos: Any, account: str) -> None:
    sql = cosmos.sql_resources
    container(cosmos, account, "Plain")
    assert sql.get_sql_container_throughput(GROUP, account, "AgentsDB", "Plain").resource.throughput == 400
    shared = {
        "properties": {
            "resource": {"id": "Shared"},
            "options": {"autoscaleSettings": {"maxThroughput": 2000}},
        }
    }
    sql.begin_create_update_sql_database(GROUP, account, "Shared", shared).result()
    own = {"properties": {"resource": {"id": "In", "partitionKey": KEY}, "options": {}}}
    sql.begin_create_update_sql_container(GROUP, account, "Shared", "In", own).result()
    found = sql.get_sql_database_throughput(GROUP, account, "Shared")
    assert found.resource.autoscale_settings.max_throughput == 2000
    with pytest.raises(ResourceNotFoundError):
        sql.get_sql_container_throughput(GROUP, account, "Shared", "In")


def test_a_serverless_account_has_no_throughput(cosmos: Any) -> None:
    sent = body(capabilities=[{"name": "EnableServerless"}])
    cosmos.database_accounts.begin_create_or_update(GROUP, "cosmos-less", sent).result()
    database = {"properties": {"resource": {"id": "AgentsDB"}, "options": {}}}
    cosmos.sql_resources.begin_create_update_sql_database(GROUP, "cosmos-less", "AgentsDB", database).result()
    with pytest.raises(HttpResponseError, match="serverless"):
        container(cosmos, "cosmos-less", "Fast", {"throughput": 500})
    container(cosmos, "cosmos-less", "Plain")
    cosmos.database_accounts.begin_delete(GROUP, "cosmos-less").result()


def test_roles_from_the_control_plane_open_the_data_plane(cloud: Served, cosmos: Any, account: str) -> None:
    container(cosmos, account, "Events")
    sql = cosmos.sql_resources
    names = {role.role_name for role in sql.list_sql_role_definitions(GROUP, account)}
    assert names == {"Cosmos DB Built-in Data Reader", "Cosmos DB Built-in Data Contributor"}
    url = "https://cosmos-dev.documents.azure.test:443/"
    with pytest.raises(HttpResponseError) as refused:
        CosmosClient(url, credential(cloud))
    assert refused.value.status_code == 403
    owner = cosmos.database_accounts.get(GROUP, account).id
    name = str(uuid.uuid4())
    assignment = {
        "properties": {
            "principalId": cloud.deployer["objectId"],
            "roleDefinitionId": f"{owner}/sqlRoleDefinitions/{CONTRIBUTOR}",
            "scope": f"{owner}/dbs/AgentsDB",
        }
    }
    sql.begin_create_update_sql_role_assignment(name, GROUP, account, assignment).result()
    events = (
        CosmosClient(url, credential(cloud)).get_database_client("AgentsDB").get_container_client("Events")
    )
    events.upsert_item({"id": "1", "agent": "x"})
    assert list(events.query_items("SELECT VALUE c.id FROM c", partition_key="x")) == ["1"]
    sql.begin_delete_sql_role_assignment(name, GROUP, account).result()
    with pytest.raises(HttpResponseError) as refused:
        events.read_item("1", "x")
    assert refused.value.status_code == 403


def test_bad_roles_are_refused(cosmos: Any, account: str) -> None:
    sql = cosmos.sql_resources
    owner = cosmos.database_accounts.get(GROUP, account).id
    good = {
        "principalId": str(uuid.uuid4()),
        "roleDefinitionId": f"{owner}/sqlRoleDefinitions/{CONTRIBUTOR}",
        "scope": owner,
    }
    for changes, words in (
        ({"scope": f"/subscriptions/{SUBSCRIPTION_ID}"}, "scope"),
        ({"roleDefinitionId": f"{owner}/sqlRoleDefinitions/{uuid.uuid4()}"}, "does not exist"),
        ({"principalId": "me"}, "principal"),
    ):
        with pytest.raises(HttpResponseError, match=words):
            sql.begin_create_update_sql_role_assignment(
                str(uuid.uuid4()), GROUP, account, {"properties": {**good, **changes}}
            ).result()
    with pytest.raises(HttpResponseError, match="Built-in"):
        sql.begin_delete_sql_role_definition(CONTRIBUTOR, GROUP, account).result()
    with pytest.raises(HttpResponseError, match="not a data action"):
        sql.begin_create_update_sql_role_definition(
            str(uuid.uuid4()),
            GROUP,
            account,
            {
                "properties": {
                    "roleName": "bad",
                    "type": "CustomRole",
                    "assignableScopes": [owner],
                    "permissions": [{"dataActions": ["Microsoft.DocumentDB/nonsense"]}],
                }
            },
        ).result()


def test_an_account_goes_with_all_that_is_in_it(cloud: Served, cosmos: Any) -> None:
    cosmos.database_accounts.begin_create_or_update(GROUP, "cosmos-gone", body()).result()
    database = {"properties": {"resource": {"id": "AgentsDB"}, "options": {}}}
    cosmos.sql_resources.begin_create_update_sql_database(GROUP, "cosmos-gone", "AgentsDB", database).result()
    container(cosmos, "cosmos-gone", "Events")
    cosmos.database_accounts.begin_delete(GROUP, "cosmos-gone").result()
    with pytest.raises(ResourceNotFoundError):
        cosmos.database_accounts.get(GROUP, "cosmos-gone")
    left = [r.id.text for r in cloud.cloud.services.store.list() if "cosmos-gone" in r.id.text]
    assert left == []
    assert "cosmos-cosmos-gone" not in cloud.cloud.services.supervisor.programs  # type: ignore[attr-defined]
