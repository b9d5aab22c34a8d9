"""Items through the unmodified azure-cosmos client, under Entra tokens."""

from __future__ import annotations

import concurrent.futures
import json
import os
import ssl
import time

import pytest
import requests
from azure.core import MatchConditions
from azure.cosmos import exceptions
from azure.cosmos.aio import CosmosClient as AsyncCosmosClient

from tests.sandbox.azure.documentdb.conftest import URL, WRITER, Cosmos
from tests.sandbox.azure.fakes import Credential, token

AUTHORIZATION = f"type=aad&ver=1.0&sig={token(WRITER, URL)}"


def event(name: str = "1", **fields: object) -> dict[str, object]:
    return {"id": name, "agent": "notification", **fields}


def test_what_is_created_is_read(cosmos: Cosmos) -> None:
    events = cosmos.events()
    created = events.create_item(event(text="zwölf Boxkämpfer 🥊", nested={"a": [1, 2.5, None, True]}))
    read = events.read_item("1", "notification")
    assert read == created
    assert read["text"] == "zwölf Boxkämpfer 🥊"
    assert read["nested"] == {"a": [1, 2.5, None, True]}
    assert set(read) > {"_rid", "_self", "_etag", "_attachments", "_ts"}
    headers = events.client_connection.last_response_headers
    assert headers["etag"] == read["_etag"]
    assert float(headers["x-ms-request-charge"]) == 1.0
    assert headers["x-ms-session-token"].startswith("0:")


def test_an_item_is_created_once(cosmos: Cosmos) -> None:
    events = cosmos.events()
    events.create_item(event())
    with pytest.raises(exceptions.CosmosResourceExistsError):
        events.create_item(event())
    events.create_item({"id": "1", "agent": "devops"})


def test_upsert_replace_and_delete(cosmos: Cosmos) -> None:
    events = cosmos.events()
    first = events.upsert_item(event(n=1))
    second = events.upsert_item(event(n=2))
    assert (second["n"], second["_rid"]) == (2, first["_rid"])
    assert second["_etag"] != first["_etag"]
    assert events.replace_item("1", event(n=3))["n"] == 3
    events.delete_item("1", "notification")
    for act in (
        lambda: events.read_item("1", "notification"),
        lambda: events.delete_item("1", "notification"),
        lambda: events.replace_item("1", event()),
    ):
        with pytest.raises(exceptions.CosmosResourceNotFoundError):
            act()


def test_etags_guard_writes(cosmos: Cosmos) -> None:
    events = cosmos.events()
    old = events.create_item(event(n=1))
    new = events.replace_item(
        "1", event(n=2), etag=old["_etag"], match_condition=MatchConditions.IfNotModified
    )
    guard = {"etag": old["_etag"], "match_condition": MatchConditions.IfNotModified}
    for act in (
        lambda: events.replace_item("1", event(n=3), **guard),
        lambda: events.upsert_item(event(n=3), **guard),
        lambda: events.delete_item("1", "notification", **guard),
        lambda: events.patch_item("1", "notification", [{"op": "set", "path": "/n", "value": 3}], **guard),
    ):
        with pytest.raises(exceptions.CosmosAccessConditionFailedError):
            act()
    assert events.read_item("1", "notification") == new


def test_a_counter_under_etags_loses_no_update(cosmos: Cosmos) -> None:
    cosmos.events().create_item(event("ledger", used=0))

    def spend(_: int) -> None:
        events = cosmos.events()
        for _ in range(5):
            while True:
                ledger = events.read_item("ledger", "notification")
                ledger["used"] += 1
                try:
                    events.replace_item(
                        "ledger", ledger, etag=ledger["_etag"], match_condition=MatchConditions.IfNotModified
                    )
                except exceptions.CosmosAccessConditionFailedError:
                    continue
                break

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(spend, range(4)))
    assert cosmos.events().read_item("ledger", "notification")["used"] == 20


def test_patch(cosmos: Cosmos) -> None:
    events = cosmos.events()
    events.create_item(event(n=1, tags=["a"], inner={"x": 1}))
    operations = [
        {"op": "incr", "path": "/n", "value": 2},
        {"op": "add", "path": "/tags/0", "value": "first"},
        {"op": "add", "path": "/tags/-", "value": "last"},
        {"op": "set", "path": "/new", "value": None},
        {"op": "remove", "path": "/inner/x"},
        {"op": "move", "from": "/inner", "path": "/moved"},
    ]
    patched = events.patch_item("1", "notification", operations)
    assert (patched["n"], patched["tags"], patched["new"]) == (3, ["first", "a", "last"], None)
    assert patched["moved"] == {}
    assert "inner" not in patched


def test_a_patch_holds_to_its_condition(cosmos: Cosmos) -> None:
    events = cosmos.events()
    events.create_item(event(n=1))
    add = [{"op": "incr", "path": "/n", "value": 1}]
    events.patch_item("1", "notification", add, filter_predicate="from c where c.n = 1")
    with pytest.raises(exceptions.CosmosHttpResponseError) as refused:
        events.patch_item("1", "notification", add, filter_predicate="from c where c.n = 1")
    assert refused.value.status_code == 412
    assert events.read_item("1", "notification")["n"] == 2


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "remove", "path": "/none"},
        {"op": "set", "path": "/id", "value": "2"},
        {"op": "set", "path": "/agent", "value": "x"},
        {"op": "incr", "path": "/text", "value": 1},
        {"op": "set", "path": "/a/b/c", "value": 1},
        {"op": "frob", "path": "/n", "value": 1},
        {"op": "set", "path": "n", "value": 1},
    ],
)
def test_a_bad_patch_is_refused_and_changes_nothing(cosmos: Cosmos, operation: dict[str, object]) -> None:
    events = cosmos.events()
    before = events.create_item(event(text="x"))
    with pytest.raises(exceptions.CosmosHttpResponseError) as refused:
        events.patch_item("1", "notification", [{"op": "set", "path": "/y", "value": 1}, operation])
    assert refused.value.status_code == 400
    assert events.read_item("1", "notification") == before


def test_a_batch_is_all_or_nothing(cosmos: Cosmos) -> None:
    events = cosmos.events()
    events.create_item(event("1", n=1))
    done = events.execute_item_batch(
        [
            ("create", (event("2"),)),
            ("upsert", (event("1", n=2),)),
            ("patch", ("1", [{"op": "incr", "path": "/n", "value": 1}])),
            ("read", ("1",)),
            ("delete", ("2",)),
        ],
        partition_key="notification",
    )
    assert [one["statusCode"] for one in done] == [201, 200, 200, 200, 204]
    assert done[3]["resourceBody"]["n"] == 3
    with pytest.raises(exceptions.CosmosBatchOperationError) as refused:
        events.execute_item_batch(
            [("create", (event("3"),)), ("create", (event("1"),)), ("create", (event("4"),))],
            partition_key="notification",
        )
    assert refused.value.error_index == 1
    assert [one["statusCode"] for one in refused.value.operation_responses] == [424, 409, 424]
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        events.read_item("3", "notification")


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"agent": "notification"}, 400),
        ({"id": "", "agent": "notification"}, 400),
        ({"id": "a/b", "agent": "notification"}, 400),
        ({"id": 1, "agent": "notification"}, 400),
        ({"id": "1", "agent": ["a"]}, 400),
        ({"id": "1", "agent": "notification", "ttl": 0}, 400),
        ({"id": "1", "agent": "notification", "text": "x" * 2_200_000}, 413),
    ],
)
def test_what_is_no_item_is_refused(cosmos: Cosmos, document: dict[str, object], status: int) -> None:
    """Sent past the client, which looks at ids itself."""
    key = json.dumps([document["agent"]])
    answer = requests.post(
        f"{URL}dbs/AgentsDB/colls/{cosmos.name}/docs",
        headers={"Authorization": AUTHORIZATION, "x-ms-documentdb-partitionkey": key},
        json=document,
        timeout=10,
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]


def test_items_without_a_key_and_with_odd_keys(cosmos: Cosmos) -> None:
    events = cosmos.events()
    for key in (None, True, 0, 1.5, "", "x" * 200):
        events.create_item({"id": "1", "agent": key})
        assert events.read_item("1", key)["agent"] == key
    events.create_item({"id": "1"})
    rows = list(events.query_items("SELECT * FROM c", enable_cross_partition_query=True))
    assert len(rows) == 7


def test_unique_keys_hold_within_a_partition(cosmos: Cosmos) -> None:
    cosmos.container("Unique", uniqueKeyPolicy={"uniqueKeys": [{"paths": ["/mail"]}]})
    items = cosmos.events(name="Unique")
    items.create_item(event("1", mail="a@b"))
    with pytest.raises(exceptions.CosmosResourceExistsError):
        items.create_item(event("2", mail="a@b"))
    items.create_item({"id": "2", "agent": "other", "mail": "a@b"})
    items.upsert_item(event("1", mail="c@d"))
    items.create_item(event("2", mail="a@b"))


def test_items_end_with_their_time(cosmos: Cosmos) -> None:
    cosmos.container("Short", defaultTtl=1)
    items = cosmos.events(name="Short")
    items.create_item(event("short"))
    items.create_item(event("long", ttl=-1))
    deadline = time.monotonic() + 10
    while True:
        rows = [row["id"] for row in items.query_items("SELECT * FROM c", enable_cross_partition_query=True)]
        if rows == ["long"]:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        items.read_item("short", "notification")
    cosmos.container("Short")
    assert items.read_item("long", "notification")


def test_the_change_feed(cosmos: Cosmos) -> None:
    events = cosmos.events()
    events.create_item(event("1"))
    events.create_item(event("2"))
    feed = events.query_items_change_feed(start_time="Beginning")
    assert [row["id"] for row in feed] == ["1", "2"]
    token = events.client_connection.last_response_headers["etag"]
    events.upsert_item(event("1", n=2))
    again = events.query_items_change_feed(continuation=token)
    assert [(row["id"], row.get("n")) for row in again] == [("1", 2)]


def test_reading_all_items(cosmos: Cosmos) -> None:
    events = cosmos.events()
    for number in range(25):
        events.create_item(event(str(number)))
    assert len(list(events.read_all_items(max_item_count=10))) == 25


def test_a_malformed_body_is_answered_in_the_services_shape(cosmos: Cosmos) -> None:
    headers = {
        "Authorization": AUTHORIZATION,
        "x-ms-documentdb-partitionkey": '["notification"]',
    }
    for content in (b"{", b"[]", b"null", b'"x"', b"\xff\xfe"):
        answer = requests.post(
            f"{URL}dbs/AgentsDB/colls/{cosmos.name}/docs", headers=headers, data=content, timeout=10
        )
        assert answer.status_code == 400
        assert answer.json()["code"] == "BadRequest"
    answer = requests.get(f"{URL}dbs/AgentsDB/nonsense/x/y", headers=headers, timeout=10)
    assert answer.status_code == 400


async def test_the_async_client(cosmos: Cosmos, monkeypatch: pytest.MonkeyPatch) -> None:
    class AsyncCredential:
        async def get_token(self, *scopes: str, **_: object) -> object:
            return Credential(WRITER).get_token(*scopes)

        async def close(self) -> None: ...

    # aiohttp reads the trust store when it is imported, which may have been for another test.
    trust = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trust)
    async with AsyncCosmosClient(URL, AsyncCredential()) as client:  # type: ignore[arg-type]
        events = client.get_database_client("AgentsDB").get_container_client(cosmos.name)
        await events.upsert_item(event("1", n=1))
        assert (await events.read_item("1", "notification"))["n"] == 1
        rows = [
            row async for row in events.query_items("SELECT VALUE c.n FROM c", partition_key="notification")
        ]
        assert rows == [1]
        patched = await events.patch_item("1", "notification", [{"op": "incr", "path": "/n", "value": 1}])
        assert patched["n"] == 2
        done = await events.execute_item_batch([("create", (event("2"),))], partition_key="notification")
        assert done[0]["statusCode"] == 201
        assert json.dumps(done)
