"""Who may do what in the data plane, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import pytest
import requests
from azure.cosmos import ContainerProxy, CosmosClient, exceptions

from sandbox.azure.documentdb import builtin_roles, keys, naming
from sandbox.azure.documentdb.roles import RoleDefinitionHandler
from tests.sandbox.azure.documentdb.conftest import ACCOUNT, NOBODY, READER, URL, WRITER, Cosmos
from tests.sandbox.azure.fakes import token

NAME = "Microsoft.DocumentDB/databaseAccounts"
DOCUMENT = {"id": "1", "agent": "notification"}
ACTS: dict[str, Callable[[ContainerProxy], object]] = {
    "items/create": lambda c: c.create_item(DOCUMENT),
    "items/upsert": lambda c: c.upsert_item(DOCUMENT),
    "items/replace": lambda c: c.replace_item("1", DOCUMENT),
    "items/read": lambda c: c.read_item("1", "notification"),
    "items/delete": lambda c: c.delete_item("1", "notification"),
    "executeQuery": lambda c: list(c.query_items("SELECT * FROM c", partition_key="notification")),
    "readChangeFeed": lambda c: list(c.query_items_change_feed(start_time="Beginning")),
}


def custom(cosmos: Cosmos, *actions: str) -> str:
    role = "bbbbbbbb-0000-0000-0000-000000000001"
    permissions = [{"dataActions": [f"{NAME}/{action}" for action in actions]}]
    body = {"properties": {"roleName": "custom", "permissions": permissions}}
    cosmos.put(RoleDefinitionHandler, f"{ACCOUNT}/sqlRoleDefinitions/{role}", body)
    return role


def refused(act: Callable[[], object]) -> exceptions.CosmosHttpResponseError:
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        act()
    assert caught.value.status_code == 403
    assert caught.value.sub_status == 5301
    return caught.value


@pytest.mark.parametrize("action", ACTS)
def test_each_operation_needs_its_action(cosmos: Cosmos, action: str) -> None:
    cosmos.events().upsert_item(DOCUMENT)
    every = [f"sqlDatabases/containers/{name}" for name in ACTS]
    without = [name for name in every if not name.endswith(action)]
    role = custom(cosmos, "readMetadata", *without)
    cosmos.assign(NOBODY, role, name="aaaaaaaa-0000-0000-0000-000000000009")
    message = str(refused(lambda: ACTS[action](cosmos.events(NOBODY))))
    full = f"{NAME}/sqlDatabases/containers/{action}"
    assert (
        f"principal [{NOBODY}] does not have required RBAC permissions to perform action [{full}]" in message
    )
    assert f"on resource [dbs/AgentsDB/colls/{cosmos.name}]" in message
    custom(cosmos, "readMetadata", f"sqlDatabases/containers/{action}")
    if action != "items/create":
        ACTS[action](cosmos.events(NOBODY))


def test_the_built_in_reader_reads(cosmos: Cosmos) -> None:
    cosmos.events().create_item(DOCUMENT)
    for action in ("items/read", "executeQuery", "readChangeFeed"):
        ACTS[action](cosmos.events(READER))
    for action in ("items/create", "items/upsert", "items/replace", "items/delete"):
        refused(lambda action=action: ACTS[action](cosmos.events(READER)))  # type: ignore[misc]


def test_without_a_role_not_even_the_account_is_read(fresh: Cosmos) -> None:
    message = str(refused(lambda: fresh.client(NOBODY)))
    assert f"[{NAME}/readMetadata] on resource [/]" in message


def test_a_role_holds_below_its_scope_alone(fresh: Cosmos) -> None:
    fresh.container("Other")
    fresh.assign(
        NOBODY, builtin_roles.CONTRIBUTOR, "/dbs/AgentsDB/colls/Other", "aaaaaaaa-0000-0000-0000-000000000009"
    )
    fresh.events(NOBODY, "Other").upsert_item(DOCUMENT)
    refused(lambda: fresh.events(NOBODY).upsert_item(DOCUMENT))


def test_a_role_taken_away_is_missed_at_once(fresh: Cosmos) -> None:
    events = fresh.events()
    events.upsert_item(DOCUMENT)
    assignment = fresh.world.store.get(
        f"{next(iter(fresh.world.store.list(type=naming.ACCOUNT))).id}/sqlRoleAssignments/"
        "aaaaaaaa-0000-0000-0000-000000000001"
    )
    assert assignment is not None
    fresh.world.store.remove(assignment.id)
    refused(lambda: events.upsert_item(DOCUMENT))


def test_a_batch_needs_the_action_of_each_operation(cosmos: Cosmos) -> None:
    events = cosmos.events(READER)
    refused(
        lambda: events.execute_item_batch(
            [("read", ("1",)), ("create", (DOCUMENT,))], partition_key="notification"
        )
    )


def test_databases_and_containers_are_not_made_in_the_data_plane(cosmos: Cosmos) -> None:
    client = cosmos.client()
    database = client.get_database_client("AgentsDB")
    for act in (
        lambda: client.create_database("x"),
        lambda: client.delete_database("AgentsDB"),
        lambda: database.delete_container(cosmos.name),
    ):
        with pytest.raises(
            exceptions.CosmosHttpResponseError, match="cannot be authorized by AAD token"
        ) as caught:
            act()
        assert (caught.value.status_code, caught.value.sub_status) == (403, 5300)


def test_what_is_there_can_be_listed(fresh: Cosmos) -> None:
    client = fresh.client(READER)
    assert [one["id"] for one in client.list_databases()] == ["AgentsDB"]
    database = client.get_database_client("AgentsDB")
    assert [one["id"] for one in database.list_containers()] == ["Events"]
    assert database.get_container_client("Events").read()["partitionKey"]["paths"] == ["/agent"]
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        database.get_container_client("events").read()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "Required Header authorization is missing"),
        ("nonsense", "required format"),
        ("type=aad&ver=1.0&sig=nonsense", "AAD token is not valid"),
        (f"type=aad&ver=1.0&sig={token(WRITER, 'https://vault.azure.test')}", "AAD token is not valid"),
        ("type=master&ver=1.0&sig=abc", "Local Authorization is disabled"),
    ],
)
def test_a_bad_header_is_unauthorized(cosmos: Cosmos, header: str | None, message: str) -> None:
    answer = requests.get(URL, headers={"Authorization": header} if header else {}, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["code"] == "Unauthorized"
    assert message in answer.json()["message"]
    assert answer.headers["x-ms-activity-id"]


def test_a_key_works_only_where_local_authorization_is_on(fresh: Cosmos) -> None:
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    key = keys.key(fresh.world.services.config, account, "primary")
    with pytest.raises(exceptions.CosmosHttpResponseError, match="Local Authorization is disabled"):
        CosmosClient(URL, key)
    fresh.account(disableLocalAuth=False)
    client = CosmosClient(URL, key)
    events = client.get_database_client("AgentsDB").get_container_client("Events")
    events.create_item(DOCUMENT)
    assert list(events.query_items("SELECT VALUE c.id FROM c", partition_key="notification")) == ["1"]
    reads = CosmosClient(URL, keys.key(fresh.world.services.config, account, "primaryReadonly"))
    events = reads.get_database_client("AgentsDB").get_container_client("Events")
    assert events.read_item("1", "notification")["id"] == "1"
    with pytest.raises(exceptions.CosmosHttpResponseError) as caught:
        events.delete_item("1", "notification")
    assert caught.value.status_code == 401
    with pytest.raises(exceptions.CosmosHttpResponseError):
        CosmosClient(URL, "b" * 86 + "==")


def test_an_old_signature_is_refused(fresh: Cosmos) -> None:
    account = fresh.account(disableLocalAuth=False)
    date = formatdate(1, usegmt=True)
    assert not keys.fresh(date, 1e9)
    assert keys.fresh(date, 1)
    assert account


def test_over_its_throughput_a_container_says_wait(cosmos: Cosmos) -> None:
    cosmos.container("Slow", throughput=400)
    headers = {
        "Authorization": f"type=aad&ver=1.0&sig={token(WRITER, URL)}",
        "x-ms-documentdb-partitionkey": '["x"]',
        "x-ms-documentdb-is-upsert": "true",
    }
    document = {"id": "1", "agent": "x", "text": "x" * 1_500_000}
    for _ in range(5):
        answer = requests.post(
            f"{URL}dbs/AgentsDB/colls/Slow/docs", headers=headers, json=document, timeout=10
        )
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert answer.headers["x-ms-substatus"] == "3200"
    assert 0 < int(answer.headers["x-ms-retry-after-ms"]) < 10_000
    # The official client waits as long as it is told and comes back.
    cosmos.events(name="Slow").read_item("1", "x")
