"""Spans of a request, and one trace over agents."""

from __future__ import annotations

import re

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from app.store.errors import StoreError
from app.telemetry.logs import correlation_id
from app.telemetry.operations import CORRELATION, OPERATION
from app.telemetry.propagation import continue_from, current_traceparent, publishing
from app.telemetry.spans import span
from tests.app.api.test_api import EXECUTE, GOOD
from tests.app.conftest import FakeStore

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_request_is_one_trace_under_its_operation_and_correlation(
    client: httpx.AsyncClient, traced: InMemorySpanExporter
) -> None:
    headers = {"x-correlation-id": "incident-7", "traceparent": PARENT}
    assert (await client.post(EXECUTE, json=GOOD, headers=headers)).status_code == 200
    load, request = traced.get_finished_spans()
    assert (load.name, request.kind) == ("prompt.load", SpanKind.SERVER)
    assert load.parent is not None
    assert load.parent.span_id == request.context.span_id
    assert request.parent is not None
    assert trace.format_span_id(request.parent.span_id) == "b7ad6b7169203331"
    for found in (load, request):
        assert trace.format_trace_id(found.context.trace_id) == "0af7651916cd43dd8448eb211c80319c"
        assert found.attributes is not None
        assert found.attributes[OPERATION] == "NotificationAgent.Execute"
        assert found.attributes[CORRELATION] == "incident-7"


async def test_probes_are_not_traced(client: httpx.AsyncClient, traced: InMemorySpanExporter) -> None:
    for path in ("/healthz", "/readyz", "/metrics/"):
        assert (await client.get(path)).status_code == 200
    assert traced.get_finished_spans() == ()


async def test_other_requests_keep_their_route_as_operation(
    client: httpx.AsyncClient, traced: InMemorySpanExporter
) -> None:
    await client.get("/openapi.json")
    (found,) = traced.get_finished_spans()
    assert found.attributes is not None
    assert OPERATION not in found.attributes


async def test_a_failed_request_is_a_failed_span(
    client: httpx.AsyncClient, traced: InMemorySpanExporter, store: FakeStore
) -> None:
    store.error = StoreError("away", 503)
    await client.post(EXECUTE, json=GOOD)
    request = traced.get_finished_spans()[-1]
    assert request.status.status_code is StatusCode.ERROR


def test_an_event_carries_the_trace_on(traced: InMemorySpanExporter) -> None:
    with span("event.publish", SpanKind.PRODUCER) as sent:
        carried = current_traceparent()
    assert carried is not None
    token = correlation_id.set("incident-8")
    with continue_from(carried, "event.process"), span("prompt.load"):
        pass
    correlation_id.reset(token)
    publish, load, process = traced.get_finished_spans()
    assert process.kind is SpanKind.CONSUMER
    assert process.parent is not None
    assert process.parent.span_id == sent.get_span_context().span_id
    assert {one.context.trace_id for one in (publish, load, process)} == {publish.context.trace_id}
    for found in (load, process):
        assert found.attributes is not None
        assert found.attributes[OPERATION] == "NotificationAgent.Process"
        assert found.attributes[CORRELATION] == "incident-8"


def test_events_that_are_published_together_are_each_in_their_own_trace(
    traced: InMemorySpanExporter,
) -> None:
    events = []
    for correlation in ("incident-1", None):
        with span("request"):
            events.append({"traceparent": current_traceparent(), "correlationid": correlation})
    with publishing([*events, {}]):
        pass
    *requests, _, second, first = traced.get_finished_spans()
    for request, publish in zip(requests, (first, second), strict=True):
        assert (publish.name, publish.kind) == ("event.publish", SpanKind.PRODUCER)
        assert publish.context.trace_id == request.context.trace_id
    assert first.attributes is not None
    assert second.attributes is not None
    assert first.attributes[CORRELATION] == "incident-1"
    assert CORRELATION not in second.attributes


@pytest.mark.parametrize("carried", [None, "", "00-zz", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_an_event_without_a_usable_trace_starts_one(
    traced: InMemorySpanExporter, carried: str | None
) -> None:
    with span("unrelated"), continue_from(carried, "event.process"):
        pass
    process, unrelated = traced.get_finished_spans()
    assert process.parent is None
    assert process.context.trace_id != unrelated.context.trace_id


def test_outside_of_a_trace_there_is_none_to_carry() -> None:
    assert current_traceparent() is None


def test_a_traceparent_is_as_w3c_writes_it(traced: InMemorySpanExporter) -> None:
    with span("event.publish"):
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", current_traceparent() or "")


def test_a_step_that_raises_has_failed_and_says_of_the_error_only_its_type(
    traced: InMemorySpanExporter,
) -> None:
    with pytest.raises(StoreError), span("event.publish"):
        raise StoreError("c4n4ry")
    (found,) = traced.get_finished_spans()
    assert found.status.status_code is StatusCode.ERROR
    assert found.attributes is not None
    assert found.attributes["error.type"] == "app.store.errors.StoreError"
    assert found.events == ()
    assert "c4n4ry" not in found.to_json()
