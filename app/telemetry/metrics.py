"""The metrics that alerts and dashboards read (`infra/observability`), and what explains them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from prometheus_client import Counter, Gauge, Histogram

# Buckets around the runbook's limits: 500 ms healthy, 1 s and 2 s alerted on.
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)

REQUESTS = Counter("http_requests_total", "Requests answered.", ["agent", "method", "route", "status"])
DURATION = Histogram(
    "http_request_duration_seconds", "Time to answer.", ["agent", "method", "route"], buckets=_SECONDS
)
LLM_DURATION = Histogram(
    "llm_invocation_duration_seconds", "Time a model took to answer.", ["agent", "provider"], buckets=_SECONDS
)
PROMPT_RELOADS = Counter("prompt_reloads_total", "Changes of mounted prompts.", ["agent", "outcome"])
PROMPTS_STALE = Gauge("prompts_stale", "1 while mounted prompts are not used because broken.", ["agent"])
#: Rendering takes microseconds, reading a changed file milliseconds.
PROMPT_DURATION = Histogram(
    "prompt_load_duration_seconds",
    "Time to get a prompt ready for a model.",
    ["agent"],
    buckets=(0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5),
)
EVENTS_PUBLISHED = Counter("event_publishes_total", "Events that the topic accepted.", ["agent"])
EVENT_FAILURES = Counter("event_publish_failures_total", "Attempts to publish that failed.", ["agent"])
QUEUE_MESSAGES = Gauge("event_queue_messages", "Messages that wait in the agent's queue.", ["agent"])
QUEUE_OLDEST = Gauge(
    "event_queue_oldest_seconds", "How long the first message in the agent's queue has waited.", ["agent"]
)
TOKENS_USED = Gauge("llm_budget_used_tokens", "Tokens of today's budget that are spent or booked.", ["agent"])
TOKENS_LIMIT = Gauge("llm_budget_limit_tokens", "Tokens that may be spent today.", ["agent"])


def expose(agent: str) -> None:
    """Show the counters at zero: a rate needs to see the first failure as a rise."""
    EVENTS_PUBLISHED.labels(agent)
    EVENT_FAILURES.labels(agent)


async def observe(
    agent: str, request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Count and time one request under its route's template, never its raw path (unbounded labels)."""
    started, status = time.perf_counter(), 500
    try:
        response = await call_next(request)
        status = response.status_code
        return response
    finally:
        route = getattr(request.scope.get("route"), "path", "unmatched")
        REQUESTS.labels(agent, request.method, route, str(status)).inc()
        DURATION.labels(agent, request.method, route).observe(time.perf_counter() - started)
