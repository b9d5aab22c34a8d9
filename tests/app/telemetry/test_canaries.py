"""Marked values go in wherever a caller, a model or a service puts one; none may come out in what is told."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from app.llm.failures import Kind, LLMError
from app.store.errors import StoreError
from app.telemetry.forwarding import Forwarding
from app.telemetry.insights import log_exporter, span_exporter
from app.telemetry.logs import JsonFormatter
from tests.app.api.test_api import EXECUTE, GOOD
from tests.app.conftest import FakeRouter, FakeStore
from tests.app.telemetry.conftest import Ingestion

CANARY = "c4n4ry-9f2e"
MARKED = {"input": {**GOOD["input"], "message": CANARY, "recipient": CANARY}}
HEADERS = {"authorization": f"Bearer {CANARY}", "x-correlation-id": "incident-11"}
ANONYMOUS: Any = None


class Told:
    """Everything that is told of the process: its standard output and what is sent."""

    def __init__(self, output: io.StringIO, ingestion: Ingestion) -> None:
        self._output, self._ingestion = output, ingestion

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.getvalue().splitlines()]

    @property
    def sent(self) -> Ingestion:
        return self._ingestion

    @property
    def text(self) -> str:
        return self._output.getvalue() + "".join(self._ingestion.texts)


@pytest.fixture
def told(_tracing: TracerProvider, ingestion: Ingestion) -> Iterator[Told]:
    output = io.StringIO()
    written = logging.StreamHandler(output)
    written.setFormatter(JsonFormatter())
    records = LoggerProvider(shutdown_on_exit=False)
    records.add_log_record_processor(
        SimpleLogRecordProcessor(log_exporter(ingestion.connection_string, ANONYMOUS))
    )
    spans = SimpleSpanProcessor(span_exporter(ingestion.connection_string, ANONYMOUS))
    _tracing.add_span_processor(spans)
    root, handlers = logging.getLogger(), (written, Forwarding(records))
    level = root.level
    root.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    yield Told(output, ingestion)
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(level)
    active = _tracing._active_span_processor
    active._span_processors = tuple(one for one in active._span_processors if one is not spans)
    spans.shutdown()
    records.shutdown()


async def test_a_request_and_its_answer(client: httpx.AsyncClient, told: Told) -> None:
    answer = await client.post(EXECUTE, json=MARKED, headers=HEADERS)
    assert CANARY in answer.text
    ((_, request),) = told.sent.of("RequestData")
    assert request["properties"]["CorrelationId"] == "incident-11"
    stored = next(line for line in told.lines if " stored with " in line["message"])
    assert stored["correlationId"] == "incident-11"
    assert (len(stored["traceId"]), len(stored["spanId"])) == (32, 16)
    sent = [data for _, data in told.sent.of("MessageData") if data["message"] == stored["message"]]
    assert [one["properties"]["CorrelationId"] for one in sent] == ["incident-11"]
    assert CANARY not in told.text


@pytest.mark.parametrize(
    "error",
    [
        LLMError("azure-openai", f"the model's answer does not fit: {CANARY}", Kind.INVALID_OUTPUT),
        LLMError("azure-openai", f"content filter: {CANARY}", Kind.CONTENT_FILTER, 400),
    ],
)
async def test_a_model_that_fails(
    client: httpx.AsyncClient, llm: FakeRouter, told: Told, error: LLMError
) -> None:
    llm.error = error
    assert (await client.post(EXECUTE, json=MARKED, headers=HEADERS)).status_code in {422, 502}
    assert [line for line in told.lines if line["message"].startswith("azure-openai failed")]
    assert CANARY not in told.text


async def test_a_service_that_quotes_a_token(client: httpx.AsyncClient, store: FakeStore, told: Told) -> None:
    store.error = StoreError(f"Request blocked: Authorization: Bearer {CANARY}", 403)
    assert (await client.post(EXECUTE, json=MARKED, headers=HEADERS)).status_code == 503
    assert [line for line in told.lines if line["message"].startswith("cosmos failed")]
    assert CANARY not in told.text


async def test_an_error_that_nobody_expected(client: httpx.AsyncClient, store: FakeStore, told: Told) -> None:
    unexpected: Any = RuntimeError(f"cannot work with {CANARY}")
    store.error = unexpected
    assert (await client.post(EXECUTE, json=MARKED, headers=HEADERS)).status_code == 500
    line = next(line for line in told.lines if line["message"] == "unexpected failure")
    assert line["correlationId"] == "incident-11"
    assert "RuntimeError" in line["exception"]
    assert "agent.py" in line["exception"]
    assert told.sent.of("ExceptionData")
    assert CANARY not in told.text


@pytest.mark.parametrize("body", [{"input": {"message": CANARY}}, {"input": CANARY}, {CANARY: 1}])
async def test_input_that_is_refused(client: httpx.AsyncClient, told: Told, body: Any) -> None:
    assert (await client.post(EXECUTE, json=body, headers=HEADERS)).status_code == 422
    assert told.sent.of("RequestData")
    assert CANARY not in told.text
