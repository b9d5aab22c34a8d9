"""What the publishing endpoint takes and refuses, read from headers and bytes alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.azure.eventgrid import cloudevents, gridevents
from sandbox.azure.eventgrid.errors import EventGridError

STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"content-type": "application/cloudevents-batch+json; charset=utf-8"}
PLAIN = {"content-type": "application/json"}
TOPIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/topics/t"
CLOUD = {"specversion": "1.0", "id": "1", "source": "/app", "type": "done"}
GRID = {
    "id": "1",
    "subject": "s",
    "eventType": "done",
    "eventTime": "2026-01-02T03:04:05Z",
    "dataVersion": "1.0",
    "data": {"a": 1},
}
BINARY = {**PLAIN, **{f"ce-{name}": value for name, value in CLOUD.items()}}


def refused(headers: dict[str, str], body: Any) -> EventGridError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(EventGridError) as error:
        cloudevents.parse(headers, raw)
    return error.value


def test_single_batched_and_binary_events() -> None:
    one = {**CLOUD, "time": "2026-01-02T03:04:05.123456Z", "data": {"a": 1}, "tenant": "x"}
    assert cloudevents.parse(STRUCTURED, json.dumps(one).encode()) == [one]
    assert cloudevents.parse(PLAIN, json.dumps(one).encode()) == [one]
    assert cloudevents.parse(BATCHED, json.dumps([one, CLOUD]).encode()) == [one, CLOUD]
    headers = {**BINARY, "ce-subject": "caf%C3%A9"}
    (binary,) = cloudevents.parse(headers, b'{"a": 1}')
    assert binary == {
        **CLOUD,
        "subject": "café",
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }


def test_data_may_be_null_and_other_nulls_are_left_out() -> None:
    (event,) = cloudevents.parse(STRUCTURED, json.dumps({**CLOUD, "data": None, "subject": None}).encode())
    assert event == {**CLOUD, "data": None}


@pytest.mark.parametrize(("missing", "called"), [("id", "id"), ("source", "source"), ("type", "eventType")])
def test_a_missing_attribute_is_named(missing: str, called: str) -> None:
    event = {name: value for name, value in CLOUD.items() if name != missing}
    error = refused(BATCHED, [CLOUD, event])
    assert (error.status, error.detail) == (400, "InputJsonInvalid")
    assert error.message == (
        f"This resource is configured for 'CloudEventV10' schema and requires '{called}' property to be set."
    )
    header = {name: value for name, value in BINARY.items() if name != f"ce-{missing}"}
    error = refused(header, {})
    assert error.detail == "InvalidCloudEventHeader"
    assert error.message.startswith(f"ce-{missing} header is missing for the cloud event.")


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        (STRUCTURED, [CLOUD], "Token Expected: StartObject, Actual Token Received: StartArray."),
        (BATCHED, CLOUD, "Token Expected: StartArray, Actual Token Received: StartObject."),
        (BATCHED, ["x"], "An event is a JSON object"),
        (STRUCTURED, b"", "Unexpected end when reading JSON."),
        (STRUCTURED, b"{", "cannot be read"),
        (BINARY, b"", "Unexpected end when reading JSON."),
        ({**BINARY, **STRUCTURED}, CLOUD, "Conflicting content mode"),
        (STRUCTURED, {**CLOUD, "specversion": "0.3"}, "specversion"),
        (STRUCTURED, {**CLOUD, "time": "yesterday"}, "RFC 3339"),
        (STRUCTURED, {**CLOUD, "time": "2026-01-02T03:04:05"}, "RFC 3339"),
        (STRUCTURED, {**CLOUD, "time": 5}, "RFC 3339"),
        (STRUCTURED, {**CLOUD, "Tenant": "x"}, "other than a-z and 0-9"),
        (STRUCTURED, {**CLOUD, "tenant": {"a": 1}}, "does not allow"),
        (STRUCTURED, {**CLOUD, "subject": 5}, "does not allow"),
        (STRUCTURED, {**CLOUD, "data": 1, "data_base64": "MQ=="}, "not both"),
        (STRUCTURED, {**CLOUD, "id": ""}, "requires 'id'"),
        (STRUCTURED, {**CLOUD, "id": 5}, "requires 'id'"),
    ],
)
def test_what_does_not_conform_is_refused(headers: dict[str, str], body: Any, message: str) -> None:
    error = refused(headers, body)
    assert error.status == 400
    assert message in error.message


def test_other_media_types_are_not_supported() -> None:
    for media_type in ("text/plain", ""):
        error = refused({"content-type": media_type}, CLOUD)
        assert (error.status, error.detail) == (415, "InvalidContentType")


def test_grid_events_get_their_topic() -> None:
    (event,) = gridevents.parse(json.dumps([GRID]).encode(), TOPIC)
    assert event == {**GRID, "topic": TOPIC, "metadataVersion": "1"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({**GRID, "source": "x"}, "unexpected property 'source'"),
        ({name: value for name, value in GRID.items() if name != "subject"}, "requires 'subject'"),
        ({**GRID, "eventTime": "soon"}, "ISO 8601"),
        ({**GRID, "topic": "/other"}, "not the one"),
        ({**GRID, "metadataVersion": "2"}, "metadataVersion"),
        ("x", "An event is a JSON object"),
    ],
)
def test_grid_events_that_do_not_conform(event: Any, message: str) -> None:
    with pytest.raises(EventGridError, match=message) as error:
        gridevents.parse(json.dumps([event]).encode(), TOPIC)
    assert error.value.status == 400


def test_a_grid_event_outside_an_array_is_refused() -> None:
    with pytest.raises(EventGridError, match="Actual Token Received: StartObject"):
        gridevents.parse(json.dumps(GRID).encode(), TOPIC)
