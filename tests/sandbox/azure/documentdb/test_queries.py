"""Queries through azure-cosmos: what partition they are of, pages, and what the local engine knows."""

from __future__ import annotations

import pytest
from azure.cosmos import ContainerProxy, exceptions

from sandbox.azure import documentdb
from sandbox.azure.dataplane import find
from sandbox.azure.documentdb import naming
from tests.sandbox.azure.documentdb.conftest import Cosmos


@pytest.fixture
def events(cosmos: Cosmos) -> ContainerProxy:
    container = cosmos.events()
    for number in range(12):
        agent = "notification" if number % 2 else "devops"
        document = {
            "id": str(number),
            "agent": agent,
            "n": number,
            "name": f"Event {number}",
            "tags": ["a", str(number)],
        }
        container.create_item({**document, "kind": "odd" if number % 3 else "three"})
    return container


def ask(events: ContainerProxy, sql: str, **options: object) -> list[object]:
    return list(events.query_items(sql, **(options or {"enable_cross_partition_query": True})))  # type: ignore[call-overload]


def test_a_query_of_one_partition_sees_that_one(events: ContainerProxy) -> None:
    rows = ask(events, "SELECT VALUE c.n FROM c ORDER BY c.n", partition_key="devops")
    assert rows == [0, 2, 4, 6, 8, 10]
    assert ask(events, "SELECT VALUE COUNT(1) FROM c", partition_key="none") == [0]


def test_a_query_across_partitions_has_to_say_so(events: ContainerProxy) -> None:
    assert len(ask(events, "SELECT * FROM c")) == 12
    with pytest.raises(exceptions.CosmosHttpResponseError, match="Cross partition query is required"):
        list(events.query_items("SELECT * FROM c"))
    rows = list(events.query_items("SELECT * FROM c WHERE c.agent = 'devops'"))
    assert len(rows) == 6


def test_parameters_and_projections(events: ContainerProxy) -> None:
    rows = events.query_items(
        "SELECT c.id, c.n * 2 AS twice FROM c WHERE c.n > @n AND IS_DEFINED(c.tags) ORDER BY c.n DESC",
        parameters=[{"name": "@n", "value": 9}],
        enable_cross_partition_query=True,
    )
    assert list(rows) == [{"id": "11", "twice": 22}, {"id": "10", "twice": 20}]


def test_pages_add_up(events: ContainerProxy) -> None:
    pages = events.query_items(
        "SELECT VALUE c.n FROM c ORDER BY c.n", enable_cross_partition_query=True, max_item_count=5
    ).by_page()
    assert [list(page) for page in pages] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]


def test_a_continuation_token_goes_on_where_it_was(events: ContainerProxy) -> None:
    def pages(token: str | None) -> object:
        asked = events.query_items(
            "SELECT VALUE c.n FROM c ORDER BY c.n", partition_key="devops", max_item_count=2
        )
        return asked.by_page(token)

    first = pages(None)
    assert list(next(first)) == [0, 2]  # type: ignore[call-overload]
    again = pages(first.continuation_token)  # type: ignore[attr-defined]
    assert list(next(again)) == [4, 6]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 3 LIMIT 2", [3, 4]),
        ("SELECT DISTINCT VALUE c.kind FROM c", ["three", "odd"]),
        ("SELECT DISTINCT TOP 1 c.agent FROM c ORDER BY c.n", [{"agent": "devops"}]),
        ("SELECT VALUE SUM(c.n) FROM c WHERE c.kind = 'three'", [18]),
        ("SELECT VALUE MAX(c.n) FROM c", [11]),
        ("SELECT VALUE c.id FROM c WHERE CONTAINS(c.name, 'event 11', true)", ["11"]),
        ("SELECT VALUE c.id FROM c WHERE c._etag != '' AND c.n IN (1, 2) ORDER BY c.n", ["1", "2"]),
        ("SELECT VALUE t FROM c JOIN t IN c.tags WHERE t = '7'", ["7"]),
        ("SELECT VALUE COUNT(1) FROM c WHERE GetCurrentTimestamp() > 0", [12]),
    ],
)
def test_what_the_engine_knows(events: ContainerProxy, sql: str, expected: list[object]) -> None:
    assert ask(events, sql) == expected


@pytest.mark.parametrize("sql", ["SELEC * FROM c", "SELECT c.kind, COUNT(1) AS n FROM c GROUP BY c.kind"])
def test_what_it_does_not_know_is_said(events: ContainerProxy, sql: str) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError, match="local query engine lacks") as refused:
        ask(events, sql)
    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    "parameters", [5, "x", {"name": "@n"}, [1], [{"name": 1}], [{"value": 1}], [{"name": "n"}]]
)
def test_parameters_that_are_none_are_refused(events: ContainerProxy, parameters: object) -> None:
    with pytest.raises(exceptions.CosmosHttpResponseError, match="parameter") as refused:
        ask(events, "SELECT * FROM c WHERE c.n = @n", parameters=parameters, partition_key="devops")
    assert refused.value.status_code == 400


def test_system_properties_in_queries_are_those_of_reads(events: ContainerProxy) -> None:
    read = events.read_item("3", "notification")
    assert ask(events, "SELECT * FROM c WHERE c.id = '3'") == [read]
    parameters = [{"name": "@etag", "value": read["_etag"]}]
    sql = "SELECT VALUE c.id FROM c WHERE c._etag = @etag"
    assert ask(events, sql, parameters=parameters, partition_key="notification") == ["3"]


def test_queries_see_every_write_before_them(events: ContainerProxy) -> None:
    for number in range(20):
        events.upsert_item({"id": "x", "agent": "devops", "n": 100 + number})
        assert ask(events, "SELECT VALUE c.n FROM c WHERE c.id = 'x'", partition_key="devops") == [
            100 + number
        ]
    events.delete_item("x", "devops")
    assert ask(events, "SELECT VALUE c.n FROM c WHERE c.id = 'x'") == []


def test_a_container_made_anew_is_empty(cosmos: Cosmos, events: ContainerProxy) -> None:
    assert ask(events, "SELECT VALUE COUNT(1) FROM c") == [12]
    found = find(cosmos.world.store, naming.CONTAINER, cosmos.name)
    assert found is not None
    cosmos.server.call(cosmos.world.adelete(list(documentdb.HANDLERS), found))
    with pytest.raises(exceptions.CosmosResourceNotFoundError):
        cosmos.events().read_item("1", "notification")
    cosmos.container()
    assert ask(cosmos.events(), "SELECT VALUE COUNT(1) FROM c") == [0]


def test_a_hierarchical_key(cosmos: Cosmos) -> None:
    key = {"paths": ["/tenant", "/user"], "kind": "MultiHash", "version": 2}
    cosmos.container("Tree", partitionKey=key)
    items = cosmos.events(name="Tree")
    for tenant, user in (("a", "1"), ("a", "2"), ("b", "1")):
        items.create_item({"id": "x", "tenant": tenant, "user": user})
    assert items.read_item("x", ["a", "2"])["user"] == "2"
    rows = list(items.query_items("SELECT VALUE c.user FROM c ORDER BY c.user", partition_key=["a"]))
    assert rows == ["1", "2"]


def test_feed_ranges(events: ContainerProxy) -> None:
    ranges = list(events.read_feed_ranges())
    rows = events.query_items("SELECT * FROM c", feed_range=ranges[0])
    assert len(list(rows)) == 12
    own = events.feed_range_from_partition_key("devops")
    changes = list(events.query_items_change_feed(feed_range=own, start_time="Beginning"))
    assert {row["agent"] for row in changes} == {"devops"}
    assert len(changes) == 6
