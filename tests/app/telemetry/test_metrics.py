"""What Prometheus reads of an agent, and that it is what the rules ask for."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.telemetry import metrics
from infra.observability import metrics as queried
from tests.app.api.test_api import EXECUTE, GOOD


async def _samples(client: httpx.AsyncClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families((await client.get("/metrics/")).text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


#: The runbook's, by name.
RUNBOOK = (
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "llm_invocation_duration_seconds_bucket",
    "event_publish_failures_total",
)
RULES = (
    queried.REQUESTS,
    queried.REQUEST_SECONDS,
    queried.QUEUE_MESSAGES,
    queried.QUEUE_OLDEST_SECONDS,
    queried.TOKENS_USED,
    queried.TOKENS_LIMIT,
)


@pytest.mark.parametrize("name", [*RUNBOOK, *RULES])
async def test_what_is_queried_is_exposed_by_agent(client: httpx.AsyncClient, name: str) -> None:
    for gauge in (metrics.QUEUE_MESSAGES, metrics.QUEUE_OLDEST, metrics.TOKENS_USED, metrics.TOKENS_LIMIT):
        gauge.labels("notification").set(1)
    metrics.LLM_DURATION.labels("notification", "fake").observe(0.1)
    assert (await client.post(EXECUTE, json=GOOD)).status_code == 200
    labels = [labels for labels, _ in (await _samples(client))[name]]
    assert "notification" in [one["agent"] for one in labels]


async def test_failures_to_publish_are_seen_before_the_first(client: httpx.AsyncClient) -> None:
    samples = await _samples(client)
    assert ({"agent": "notification"}, 0.0) in samples["event_publish_failures_total"]
    assert ({"agent": "notification"}, 0.0) in samples["event_publishes_total"]


async def test_getting_a_prompt_ready_is_timed(client: httpx.AsyncClient) -> None:
    async def count() -> float:
        found = (await _samples(client)).get("prompt_load_duration_seconds_count", [])
        return sum(value for labels, value in found if labels == {"agent": "notification"})

    before = await count()
    await client.post(EXECUTE, json=GOOD)
    assert await count() == before + 1


async def test_unknown_paths_make_no_series_of_their_own(client: httpx.AsyncClient) -> None:
    await client.get("/api/notification/c4n4ry")
    routes = {labels["route"] for labels, _ in (await _samples(client))["http_requests_total"]}
    assert "unmatched" in routes
    assert not [route for route in routes if "c4n4ry" in route]
