"""What the router tells of itself: Prometheus metrics, and a span for every attempt.

Names and attributes follow the OpenTelemetry conventions for generative AI where these have one
(https://github.com/open-telemetry/semantic-conventions-genai), dots as underscores and the unit as a
suffix, as OpenTelemetry's own exporter for Prometheus writes them. No message is ever part of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram

from app.llm.breaker import State
from app.llm.chat import Answer, Chat
from app.llm.failures import LLMError
from app.llm.providers import Provider
from app.telemetry.metrics import LLM_DURATION

_TRACER = trace.get_tracer("app.llm")
_OPERATION = "chat"
# The boundaries that the conventions recommend.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
_GEN_AI = (
    "agent",
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "server_address",
)
# The conventions have no name for the second.
_ASKED = {"temperature": "gen_ai.request.temperature", "reasoning_effort": "agents.llm.reasoning_effort"}

OPERATION_SECONDS = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "Time a call of a model took.",
    [*_GEN_AI, "error_type"],
    buckets=_SECONDS,
)
TOKEN_USAGE = Histogram(
    "gen_ai_client_token_usage",
    "Tokens that a call of a model used.",
    [*_GEN_AI, "gen_ai_token_type"],
    buckets=_TOKENS,
)
ATTEMPTS = Counter("llm_attempts_total", "Calls of a provider.", ["agent", "provider", "outcome"])
FAILOVERS = Counter(
    "llm_failovers_total", "Calls that went on to another attempt.", ["agent", "provider", "reason"]
)
UNANSWERED = Counter("llm_unanswered_total", "Requests that no provider answered.", ["agent", "reason"])
REPAIRS = Counter("llm_repairs_total", "Answers sent back to be corrected.", ["agent", "outcome"])
CACHE = Counter("llm_cache_requests_total", "Look-ups in the response cache.", ["agent", "result"])
IN_FLIGHT = Gauge("llm_in_flight_calls", "Calls under way.", ["agent", "provider"])
BREAKER = Gauge("llm_breaker_state", "1 for the breaker's present state.", ["agent", "provider", "state"])


def breaker_gauge(agent: str, provider: str) -> Callable[[State], None]:
    """Shows a breaker's state from now on."""

    def show(state: State) -> None:
        for each in State:
            BREAKER.labels(agent, provider, each.value).set(each is state)

    show(State.CLOSED)
    return show


class Observed:
    """One attempt as it is seen from outside."""

    def __init__(self) -> None:
        self.outcome = "cancelled"
        self.answer: Answer | None = None

    def answered(self, answer: Answer) -> None:
        self.outcome, self.answer = "answered", answer

    def failed(self, error: LLMError) -> None:
        self.outcome = error.kind.value


@contextmanager
def observed(agent: str, provider: Provider, chat: Chat, number: int) -> Iterator[Observed]:
    """Times, counts and traces an attempt, the `number`th of its call (from 1)."""
    attributes: dict[str, str | int | float] = {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.provider.name": provider.system,
        "gen_ai.request.model": provider.model,
        "gen_ai.request.max_tokens": provider.dialect.limit(chat),
        "gen_ai.output.type": "json",
        "gen_ai.agent.name": agent,
        "server.address": provider.host,
        "agents.llm.provider": provider.name,
        "agents.llm.attempt": number,
    }
    asked = provider.dialect.parameters(chat)
    attributes |= {name: asked[key] for key, name in _ASKED.items() if key in asked}
    started, seen = time.perf_counter(), Observed()
    with _TRACER.start_as_current_span(
        f"{_OPERATION} {provider.model}",
        kind=trace.SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,  # its message may quote what the model was told
        set_status_on_exception=False,
    ) as span:
        try:
            yield seen
        finally:
            _trace(span, seen)
            _count(agent, provider, seen, time.perf_counter() - started)


def _trace(span: trace.Span, seen: Observed) -> None:
    answer = seen.answer
    if answer is None:
        span.set_attribute("error.type", seen.outcome)
        span.set_status(trace.StatusCode.ERROR, seen.outcome)
        return
    span.set_attributes(
        {
            "gen_ai.response.id": answer.id,
            "gen_ai.response.model": answer.model,
            "gen_ai.response.finish_reasons": [answer.finish_reason],
            "gen_ai.usage.input_tokens": answer.prompt_tokens,
            "gen_ai.usage.output_tokens": answer.completion_tokens,
        }
    )


def _count(agent: str, provider: Provider, seen: Observed, seconds: float) -> None:
    answer = seen.answer
    labels = (agent, _OPERATION, provider.system, provider.model, provider.host)
    LLM_DURATION.labels(agent, provider.name).observe(seconds)
    OPERATION_SECONDS.labels(*labels, "" if answer else seen.outcome).observe(seconds)
    ATTEMPTS.labels(agent, provider.name, seen.outcome).inc()
    if answer:
        TOKEN_USAGE.labels(*labels, "input").observe(answer.prompt_tokens)
        TOKEN_USAGE.labels(*labels, "output").observe(answer.completion_tokens)
