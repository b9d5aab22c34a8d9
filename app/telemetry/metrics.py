"""The metrics that alerts and dashboards read."""

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
