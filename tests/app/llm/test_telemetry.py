"""Metrics and spans of a call: the names that alerts read, and nothing of what was said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY

from app.llm import telemetry
from app.llm.dialect import Dialect
from app.llm.failures import ExhaustedError
from tests.app.llm import virtual
from tests.app.llm.models import BROKEN, MESSAGES, PROMPT, Behaviour, Model, router


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_TRACER", provider.get_tracer("app.llm"))
    yield exporter
    provider.shutdown()


def _value(name: str, **labels: str) -> float:
    """Of this test's agent; 0 before it is first counted."""
    return REGISTRY.get_sample_value(name, {"agent": "tester", **labels}) or 0.0


def _ask(*models: Model) -> None:
    async def main() -> None:
        await router(*models, values={"Limits": {"RetryBurst": 0}}).complete(PROMPT, MESSAGES)

    virtual.run(main)


def test_a_failover_is_counted_by_provider_and_reason() -> None:
    def counts() -> list[float]:
        return [
            _value("llm_attempts_total", provider="bad", outcome="server_error"),
            _value("llm_attempts_total", provider="good", outcome="answered"),
            _value("llm_failovers_total", provider="bad", reason="server_error"),
            _value("llm_invocation_duration_seconds_count", provider="good"),
        ]

    before = counts()
    _ask(Model("bad", lambda _: BROKEN), Model("good"))
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1, 1, 1]


def test_duration_and_tokens_have_the_names_of_the_conventions() -> None:
    common = {
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": "test",
        "gen_ai_request_model": "named-model",
        "server_address": "test.example",
    }
    _ask(Model("named"))
    usage = [
        _value("gen_ai_client_token_usage_sum", gen_ai_token_type=kind, **common)
        for kind in ("input", "output")
    ]
    assert usage == [10, 5]
    assert _value("gen_ai_client_operation_duration_seconds_count", error_type="", **common) == 1


def test_a_request_that_nobody_answers_is_counted() -> None:
    before = _value("llm_unanswered_total", reason="exhausted")
    with pytest.raises(ExhaustedError):
        _ask(Model("bad", lambda _: BROKEN))
    assert _value("llm_unanswered_total", reason="exhausted") == before + 1


def test_the_breaker_shows_its_state() -> None:
    def states() -> dict[str, float]:
        return {
            state: _value("llm_breaker_state", provider="paused", state=state)
            for state in ("closed", "half_open", "open")
        }

    _ask(Model("paused"))
    assert states() == {"closed": 1, "half_open": 0, "open": 0}
    with pytest.raises(ExhaustedError):
        _ask(Model("paused", lambda _: Behaviour(error=BROKEN.error, retry_after=30)))
    assert states() == {"closed": 0, "half_open": 0, "open": 1}


def _attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_every_attempt_is_a_span(spans: InMemorySpanExporter) -> None:
    _ask(Model("bad", lambda _: BROKEN), Model("good"))
    failed, answered = spans.get_finished_spans()
    assert (failed.name, failed.kind) == ("chat bad-model", SpanKind.CLIENT)
    assert _attributes(failed)["error.type"] == "server_error"
    assert not failed.status.is_ok
    told = _attributes(answered)
    assert told["gen_ai.provider.name"] == "test"
    assert (told["agents.llm.provider"], told["agents.llm.attempt"]) == ("good", 2)
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (10, 5)
    assert told["gen_ai.response.finish_reasons"] == ("stop",)


def test_a_span_says_what_was_asked_for(spans: InMemorySpanExporter) -> None:
    thinker = Model("thinker")
    thinker.dialect = Dialect("max_completion_tokens", "low", 1000)
    _ask(Model("plain"))
    _ask(thinker)
    names = ("gen_ai.request.max_tokens", "gen_ai.request.temperature", "agents.llm.reasoning_effort")
    found = [[_attributes(span).get(name) for name in names] for span in spans.get_finished_spans()]
    assert found == [[50, 0.2, None], [1050, None, "low"]]


def test_nothing_of_what_is_said_is_told(spans: InMemorySpanExporter) -> None:
    _ask(Model("good"))
    (span,) = spans.get_finished_spans()
    text = span.to_json()
    assert "yes" not in text
    assert MESSAGES[0]["content"] not in text
