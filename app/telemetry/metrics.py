"""The metrics that alerts and dashboards read (`infra/observability`), and what explains them."""

from __future__ import annotations

import time

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class Observed:
    """Counts and times requests, each under its route's template: raw paths would be unbounded labels."""

    def __init__(self, app: ASGIApp, agent: str) -> None:
        self._app, self._agent = app, agent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def with_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, with_status)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(self._agent, scope["method"], route, str(status)).inc()
            DURATION.labels(self._agent, scope["method"], route).observe(time.perf_counter() - started)
