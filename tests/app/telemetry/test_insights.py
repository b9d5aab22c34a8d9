"""What the real exporter puts on the wire, as Application Insights' schema has it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode, Tracer, set_span_in_context

from app.telemetry.forwarding import Forwarding
from app.telemetry.insights import log_exporter, span_exporter
from app.telemetry.logs import correlation_id
from app.telemetry.operations import Operations
from tests.app.telemetry.conftest import KEY, Ingestion

RESOURCE = Resource.create({"service.name": "notification-agent", "service.instance.id": "pod-1"})
CANARY = "c4n4ry"
ANONYMOUS: Any = None  # over plain HTTP no token is sent


@pytest.fixture
def tracer(ingestion: Ingestion) -> Iterator[Tracer]:
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(Operations("notification"))
    exporter = span_exporter(ingestion.connection_string, ANONYMOUS)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("test")
    provider.shutdown()


@pytest.fixture
def log(ingestion: Ingestion) -> Iterator[logging.Logger]:
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    exporter = log_exporter(ingestion.connection_string, ANONYMOUS)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger, handler = logging.getLogger("app.test_insights"), Forwarding(provider)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger
    logger.removeHandler(handler)
    provider.shutdown()


def test_what_a_request_causes_has_its_operation(tracer: Tracer, ingestion: Ingestion) -> None:
    path = "/api/notification/execute"
    attributes: dict[str, str | int] = {
        "http.request.method": "POST",
        "url.path": path,
        "http.route": path,
        "http.response.status_code": 503,
    }
    correlation_id.set("incident-9")
    with tracer.start_as_current_span("POST", kind=SpanKind.SERVER, attributes=attributes) as request:
        request.set_status(StatusCode.ERROR)
        with tracer.start_as_current_span("prompt.load"):
            pass
    ((tags, load),) = ingestion.of("RemoteDependencyData")
    assert (load["type"], load["name"], load["success"]) == ("InProc", "prompt.load", True)
    ((request_tags, data),) = ingestion.of("RequestData")
    assert (data["responseCode"], data["success"]) == ("503", False)
    for found in (tags, request_tags):
        assert found["ai.operation.name"] == "NotificationAgent.Execute"
        assert found["ai.cloud.role"] == "notification-agent"
        assert found["ai.cloud.roleInstance"] == "pod-1"
    assert data["properties"] == load["properties"] == {"CorrelationId": "incident-9"}
    assert tags["ai.operation.parentId"] == data["id"]
    assert {one["iKey"] for one in ingestion.envelopes} == {KEY}


@pytest.mark.parametrize("more", [{}, {"http.request.method": "POST", "url.full": "https://oai.example/v1"}])
def test_a_call_of_a_model_is_a_dependency_of_its_own_type(
    tracer: Tracer, ingestion: Ingestion, more: dict[str, str]
) -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai", **more}
    with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT, attributes=attributes) as call:
        call.set_attribute("error.type", "429")
    ((_, data),) = ingestion.of("RemoteDependencyData")
    assert (data["type"], data["target"], data["resultCode"]) == ("LLM", "azure.ai.openai", "429")


def test_recorded_exceptions_say_their_type_only(tracer: Tracer, ingestion: Ingestion) -> None:
    with pytest.raises(ValueError, match="c4n4ry"), tracer.start_as_current_span("chat"):
        raise ValueError("c4n4ry")
    ((_, data),) = ingestion.of("ExceptionData")
    assert [one["typeName"] for one in data["exceptions"]] == ["ValueError"]
    assert "c4n4ry" not in "".join(ingestion.texts)


@pytest.mark.parametrize(
    ("level", "severity"),
    [(logging.INFO, 1), (logging.WARNING, 2), (logging.ERROR, 3), (logging.CRITICAL, 4)],
)
def test_a_log_record_is_a_trace_with_its_severity(
    log: logging.Logger, tracer: Tracer, ingestion: Ingestion, level: int, severity: int
) -> None:
    correlation_id.set("incident-10")
    with tracer.start_as_current_span("event.process", kind=SpanKind.CONSUMER) as current:
        log.log(level, "execution %s stored with key api-key=c4n4ry", 7)
    context = current.get_span_context()
    ((tags, data),) = ingestion.of("MessageData")
    assert data["severityLevel"] == severity
    assert data["message"] == "execution 7 stored with key api-key=[removed]"
    assert data["properties"]["CorrelationId"] == "incident-10"
    assert tags["ai.operation.name"] == "NotificationAgent.Process"
    assert tags["ai.operation.id"] == f"{context.trace_id:032x}"
    assert tags["ai.operation.parentId"] == f"{context.span_id:016x}"


def test_a_logged_exception_keeps_its_place_in_the_trace(
    log: logging.Logger, tracer: Tracer, ingestion: Ingestion
) -> None:
    with tracer.start_as_current_span("event.process", kind=SpanKind.CONSUMER) as current:
        try:
            dict[str, str]()[CANARY]
        except KeyError:
            log.exception("unexpected failure")
    ((tags, data),) = ingestion.of("ExceptionData")
    (told,) = data["exceptions"]
    assert (told["typeName"], told["message"]) == ("KeyError", "unexpected failure")
    assert "test_a_logged_exception_keeps_its_place" in told["stack"]
    assert CANARY not in "".join(ingestion.texts)
    assert tags["ai.operation.id"] == f"{current.get_span_context().trace_id:032x}"
    assert tags["ai.cloud.role"] == "notification-agent"


def test_what_the_sending_says_is_not_sent(log: logging.Logger, ingestion: Ingestion) -> None:
    (handler,) = log.handlers
    for name in ("azure.monitor.opentelemetry.exporter.export._base", "opentelemetry.sdk", "azure.core.x"):
        record = logging.makeLogRecord({"name": name, "msg": "c4n4ry", "levelno": logging.ERROR})
        assert not handler.filter(record)
    assert handler.filter(logging.makeLogRecord({"name": "app.main"}))


def test_spans_of_other_processes_pass_no_operation_on(tracer: Tracer, ingestion: Ingestion) -> None:
    with tracer.start_as_current_span("GET", set_span_in_context(INVALID_SPAN), SpanKind.SERVER):
        pass
    ((tags, _),) = ingestion.of("RequestData")
    assert tags["ai.operation.name"] == "GET"
