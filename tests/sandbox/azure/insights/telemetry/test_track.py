"""What is taken in, from whom, and what becomes of each item."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.azure.insights.telemetry import envelopes
from tests.sandbox.azure.insights.telemetry.conftest import TIME, TRACE, Insights, item, message


def test_what_is_sent_is_kept_in_the_tables_of_its_kind(insights: Insights) -> None:
    key = insights.key
    call = {"id": "b7ad6b7169203331", "duration": "0.00:00:02.500000", "success": False}
    answer = insights.send(
        item(key, "RequestData", {**call, "name": "POST /x", "responseCode": "503", "url": "http://a/x"}),
        item(
            key,
            "RemoteDependencyData",
            {**call, "name": "chat", "type": "LLM", "target": "oai", "resultCode": "429"},
        ),
        message(key, "stored", 3, CorrelationId="c-1"),
        item(key, "ExceptionData", {"exceptions": [{"typeName": "KeyError", "message": "unexpected"}]}),
        item(key, "MetricData", {"metrics": [{"name": "m", "value": 2.5}, {"name": "n", "value": 1}]}),
    )
    assert answer.status_code == 200
    assert answer.json() == {"itemsReceived": 5, "itemsAccepted": 5, "appId": None, "errors": []}
    (request,) = insights.rows("requests")
    assert request["timestamp"] == TIME
    assert (request["duration"], request["performanceBucket"]) == (2500.0, "1sec-3sec")
    assert (request["success"], request["resultCode"], request["itemType"]) == ("False", "503", "request")
    assert (request["operation_Id"], request["operation_Name"]) == (TRACE, "NotificationAgent.Execute")
    assert (request["cloud_RoleName"], request["appName"]) == ("notification-agent", "appi-one")
    assert request["_ResourceId"] == insights.component.id.key
    (dependency,) = insights.rows("dependencies")
    assert (dependency["type"], dependency["target"], dependency["resultCode"]) == ("LLM", "oai", "429")
    (trace,) = insights.rows("traces")
    assert (trace["message"], trace["severityLevel"]) == ("stored", 3)
    assert json.loads(trace["customDimensions"]) == {"CorrelationId": "c-1"}
    (exception,) = insights.rows("exceptions")
    assert (exception["type"], exception["outerMessage"]) == ("KeyError", "unexpected")
    metrics = insights.rows("customMetrics | order by name asc")
    assert [(one["name"], one["value"], one["valueCount"]) for one in metrics] == [("m", 2.5, 1), ("n", 1, 1)]


@pytest.mark.parametrize("path", ["/v2/track", "/v2.1/track", "//v2.1/track", "/v2.1/track/"])
def test_every_spelling_of_the_path_is_served(insights: Insights, path: str) -> None:
    assert insights.send(path=path, json=[message(insights.key, "x")]).status_code == 200


@pytest.mark.parametrize(
    ("encode", "encoding"), [(bytes, ""), (gzip.compress, "gzip"), (zlib.compress, "deflate")]
)
def test_one_a_line_is_taken_plain_and_compressed(
    insights: Insights, encode: Callable[[bytes], bytes], encoding: str
) -> None:
    lines = "\n".join(json.dumps(message(insights.key, text)) for text in ("a", "b")).encode()
    headers = {"content-encoding": encoding} if encoding else {}
    answer = insights.send(headers=headers, content=encode(lines))
    assert (answer.status_code, answer.json()["itemsAccepted"]) == (200, 2)
    assert {row["message"] for row in insights.rows("traces")} == {"a", "b"}


def test_a_bad_item_is_refused_by_itself(insights: Insights) -> None:
    broken: list[Any] = [
        {**message(insights.key, "x"), "time": "yesterday"},
        {**message(insights.key, "x"), "iKey": "00000000-0000-0000-0000-000000000000"},
        item(insights.key, "RequestData", {"id": "1", "duration": "soon"}),
        item(insights.key, "PageViewData", {}),
        item(insights.key, "ExceptionData", {"exceptions": []}),
        {"iKey": insights.key},
        {"time": TIME},
        7,
    ]
    answer = insights.send(*broken, message(insights.key, "good"))
    body = answer.json()
    assert (answer.status_code, body["itemsReceived"], body["itemsAccepted"]) == (206, 9, 1)
    assert [error["index"] for error in body["errors"]] == list(range(8))
    assert {error["statusCode"] for error in body["errors"]} == {400}
    assert all(error["message"] for error in body["errors"])
    assert [row["message"] for row in insights.rows("traces")] == ["good"]
    assert insights.send(*broken).status_code == 400


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content": b""}, 400),
        ({"content": b"[{]"}, 400),
        ({"content": b"nonsense", "headers": {"content-encoding": "gzip"}}, 400),
        ({"content": gzip.compress(b"[]")[:-9], "headers": {"content-encoding": "gzip"}}, 400),
        ({"content": b"[]", "headers": {"content-encoding": "br"}}, 400),
        ({"content": b"[]", "path": "/v3/track"}, 404),
        ({"content": b"x" * (4 * 1024 * 1024 + 1)}, 413),
    ],
)
def test_a_bad_body_is_refused_as_a_whole(insights: Insights, options: dict[str, Any], status: int) -> None:
    answer = insights.send(**options)
    assert (answer.status_code, answer.json()["itemsAccepted"]) == (status, 0)
    assert answer.json()["errors"][0]["message"]


def test_what_unpacks_to_too_much_is_refused() -> None:
    bomb = gzip.compress(bytes(envelopes.UNPACKED + 1))
    with pytest.raises(envelopes.EnvelopeError, match="longer than"):
        envelopes.unpack(bomb, "gzip")


@pytest.mark.parametrize(
    ("who", "audience", "status"),
    [
        (None, "", 401),
        ("sender", "https://management.azure.test", 401),
        ("stranger", "https://monitor.azure.test/", 403),
        ("reader", "https://monitor.azure.test/", 403),
        ("sender", "https://monitor.azure.com", 200),
    ],
)
def test_only_a_publisher_may_send(insights: Insights, who: str | None, audience: str, status: int) -> None:
    answer = (
        insights.send(who=who, audience=audience, json=[message(insights.key, "x")])
        if who
        else (insights.send(message(insights.key, "x"), who=None))
    )
    assert answer.status_code == status
    assert len(insights.rows("traces")) == (1 if status == 200 else 0)
    assert [error["statusCode"] for error in answer.json()["errors"]] == ([] if status == 200 else [status])


def test_the_key_alone_is_enough_where_local_authentication_is_on(insights: Insights) -> None:
    insights.component.properties["DisableLocalAuth"] = False
    insights.world.store.save(insights.component)
    assert insights.send(message(insights.key, "x"), who=None).status_code == 200
    assert insights.send(message(insights.key, "x"), who="stranger").status_code == 403


def test_a_role_at_one_component_is_none_at_another(insights: Insights) -> None:
    insights.world.rbac.grants = {
        grant for grant in insights.world.rbac.grants if grant[2] == insights.component.id.key
    }
    other = str(insights.neighbour.properties["InstrumentationKey"])
    answer = insights.send(message(insights.key, "mine"), message(other, "theirs"))
    assert answer.status_code == 206
    assert [(one["index"], one["statusCode"]) for one in answer.json()["errors"]] == [(1, 403)]


def test_public_networks_are_kept_out_where_the_component_says_so(insights: Insights) -> None:
    insights.component.properties["publicNetworkAccessForIngestion"] = "Disabled"
    insights.world.store.save(insights.component)
    assert insights.send(message(insights.key, "x")).status_code == 403


def test_what_was_taken_survives(insights: Insights, reopened: Callable[[], None]) -> None:
    assert insights.send(*(message(insights.key, f"{number}") for number in range(300))).status_code == 200
    reopened()
    assert insights.rows("traces | summarize n = count(), distinct_ = dcount(message)") == [
        {"n": 300, "distinct_": 300}
    ]


def test_a_sampled_item_counts_for_those_it_stands_for(insights: Insights) -> None:
    insights.send({**message(insights.key, "x"), "sampleRate": 25.0})
    assert insights.rows("traces | project itemCount") == [{"itemCount": 4}]
