"""The application's own telemetry, sent by Microsoft's exporter and asked for by Microsoft's client.

One trace over two agents, as the runbook's questions find it. Its last question asks traces for a `duration`,
a column that Application Insights has for requests and dependencies only; here it asks without."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from azure.monitor.query import LogsQueryClient, LogsQueryResult
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.telemetry.forwarding import Forwarding
from app.telemetry.insights import log_exporter, span_exporter
from app.telemetry.logs import correlation_id
from app.telemetry.operations import Operations
from sandbox.azure.insights.telemetry.access import WRITE
from tests.sandbox.azure import fakes
from tests.sandbox.azure.insights.telemetry.conftest import Insights

CORRELATION = "incident-42"


class Agent:
    """An agent's process, as far as telemetry goes; several of them live in this one."""

    def __init__(self, name: str, insights: Insights, who: str = "sender") -> None:
        resource = Resource.create({"service.name": f"{name}-agent"})
        where, credential = insights.connection_string, fakes.Credential(who)
        self._spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._spans.add_span_processor(Operations(name))
        self._spans.add_span_processor(BatchSpanProcessor(span_exporter(where, credential)))
        self._records = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._records.add_log_record_processor(BatchLogRecordProcessor(log_exporter(where, credential)))
        self._handler = Forwarding(self._records)
        self.name = name

    @property
    def tracer(self) -> Tracer:
        return self._spans.get_tracer("app")

    @contextmanager
    def logging(self) -> Iterator[logging.Logger]:
        log = logging.getLogger("app.agents")
        log.setLevel(logging.INFO)
        log.addHandler(self._handler)
        yield log
        log.removeHandler(self._handler)

    def request(self) -> trace.SpanContext:
        """What a request to execute does, whose model refuses once. Returns where its event was published."""
        path = f"/api/{self.name}/execute"
        attributes = {"http.request.method": "POST", "url.path": path, "http.route": path}
        with self.tracer.start_as_current_span(
            "POST", kind=SpanKind.SERVER, attributes=attributes
        ) as request:
            request.set_attribute("http.response.status_code", 200)
            with self.tracer.start_as_current_span("prompt.load"):
                pass
            self.chat("429")
            self.chat(None)
            with self.logging() as log:
                log.info("execution stored")
            with self.tracer.start_as_current_span("event.publish", kind=SpanKind.PRODUCER) as publish:
                return publish.get_span_context()

    def chat(self, error: str | None) -> None:
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai"}
        with self.tracer.start_as_current_span(
            "chat gpt-4o", kind=SpanKind.CLIENT, attributes=attributes
        ) as call:
            if error is not None:
                call.set_attribute("error.type", error)
                call.set_status(Status(StatusCode.ERROR))

    def handle(self, published: trace.SpanContext) -> None:
        carried = f"00-{published.trace_id:032x}-{published.span_id:016x}-01"
        parent = TraceContextTextMapPropagator().extract({"traceparent": carried})
        with (
            self.tracer.start_as_current_span("event.process", parent, SpanKind.CONSUMER),
            self.logging() as log,
        ):
            log.error("event refused")

    def close(self) -> None:
        self._spans.shutdown()
        self._records.shutdown()


@pytest.fixture
def told(insights: Insights) -> Insights:
    """Two agents, one trace, everything sent."""
    correlation_id.set(CORRELATION)
    servicedesk, notification = Agent("servicedesk", insights), Agent("notification", insights)
    notification.handle(servicedesk.request())
    for agent in (servicedesk, notification):
        agent.close()
    return insights


def test_one_trace_runs_from_the_request_to_the_next_agents_handling(told: Insights) -> None:
    question = (
        "union requests, dependencies | project operation_Id, id, operation_ParentId, name, cloud_RoleName, "
        "operation_Name, itemType"
    )
    rows = told.rows(question)
    assert len({row["operation_Id"] for row in rows}) == 1
    by_id = {row["id"]: row for row in rows}
    process = next(row for row in rows if row["name"] == "event.process")
    assert process["operation_Name"] == "NotificationAgent.Process"
    publish = by_id[process["operation_ParentId"]]
    assert publish["cloud_RoleName"] == "servicedesk-agent"
    request = by_id[publish["operation_ParentId"]]
    assert (request["itemType"], request["operation_Name"]) == ("request", "ServicedeskAgent.Execute")
    children = [row for row in rows if row["operation_ParentId"] == request["id"]]
    assert len(children) == 4
    assert {row["operation_Name"] for row in children} == {"ServicedeskAgent.Execute"}


def test_the_runbooks_questions_find_it(told: Insights) -> None:
    errors = told.rows(
        "traces | where severityLevel >= 3 | project timestamp, message, customDimensions "
        "| order by timestamp desc"
    )
    assert [row["message"] for row in errors] == ["event refused"]
    assert told.rows("requests | where duration > 200000 | project name, duration, resultCode") == []
    failed = told.rows(
        'dependencies | where type == "LLM" | where success == false '
        "| project timestamp, target, resultCode, duration"
    )
    assert [(row["target"], row["resultCode"]) for row in failed] == [("azure.ai.openai", "429")]
    correlated = told.rows(
        f'union traces, requests, dependencies | where customDimensions.CorrelationId == "{CORRELATION}" '
        "| project timestamp, itemType, message, name | order by timestamp asc"
    )
    kinds = [row["itemType"] for row in correlated]
    assert (kinds.count("request"), kinds.count("trace"), kinds.count("dependency")) == (2, 2, 4)
    executed = told.rows(
        'traces | where operation_Name == "ServicedeskAgent.Execute" | project operation_Id, message'
    )
    assert [row["message"] for row in executed] == ["execution stored"]


def test_log_analytics_own_client_reads_it(told: Insights) -> None:
    endpoint = "https://api.loganalytics.azure.test"
    with LogsQueryClient(fakes.Credential("reader"), endpoint=endpoint) as client:
        result = client.query_workspace(
            str(told.workspace.properties["customerId"]),
            "AppTraces | order by TimeGenerated asc | project Message, SeverityLevel",
            timespan=timedelta(hours=1),
        )
    assert isinstance(result, LogsQueryResult)
    (found,) = result.tables
    assert [tuple(row) for row in found.rows] == [("execution stored", 1), ("event refused", 3)]


def test_without_the_role_nothing_arrives_and_the_sender_goes_on(
    insights: Insights, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Agent("devops", insights, who="stranger")
    stranger.request()
    stranger.close()
    assert insights.rows("union requests, dependencies, traces | count") == [{"Count": 0}]
    assert "403" in caplog.text or "Forbidden" in caplog.text or WRITE in caplog.text
