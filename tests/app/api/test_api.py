from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.llm.failures import DeadlineError, ExhaustedError, Kind, LLMError, SkipError
from app.llm.metering import OverBudget
from app.main import build
from app.settings import Settings
from app.store.errors import StoreError
from tests.app.conftest import ANSWER, PROMPTS, FakeRouter, FakeStore

GOOD = {"input": {"channel": "sms", "recipient": "+316", "message": "Node down", "severity": "critical"}}
EXECUTE = "/api/notification/execute"


async def test_an_execution_is_answered_stored_and_read_back(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    answer = await client.post(EXECUTE, json=GOOD, headers={"x-correlation-id": "incident-7"})
    assert answer.status_code == 200
    execution = answer.json()
    assert execution["output"]["body"] == ANSWER["body"]
    assert execution["output"]["delivery"]["recipient"] == "+316"
    assert execution["correlationId"] == answer.headers["x-correlation-id"] == "incident-7"
    assert answer.headers["x-llm-provider"] == "fake"
    assert ("notification", execution["id"]) in store.kept
    again = await client.get(f"/api/notification/executions/{execution['id']}")
    assert again.json() == execution


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"input": {**GOOD["input"], "channel": "pigeon"}}, "$.input.channel"),
        ({"input": {"channel": "sms", "recipient": "x"}}, "$.input"),
        ({"input": {**GOOD["input"], "extra": 1}}, "$.input"),
        ({"input": 3}, "$.input"),
        ({}, "$.input"),
        ({**GOOD, "other": True}, "$.other"),
    ],
)
async def test_input_that_does_not_fit_is_refused_by_path(
    client: httpx.AsyncClient, llm: FakeRouter, body: dict[str, Any], path: str
) -> None:
    answer = await client.post(EXECUTE, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert path in [problem["path"] for problem in answer.json()["problems"]]
    assert llm.asked == []


async def test_malformed_json_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post(EXECUTE, content=b"{nope", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("invalid-input")


@pytest.mark.parametrize(
    ("kind", "status", "answered"),
    [
        (Kind.REFUSED, 403, 502),
        (Kind.REFUSED, 400, 502),
        (Kind.INVALID_OUTPUT, None, 502),
        (Kind.CONTENT_FILTER, 400, 422),
    ],
)
async def test_a_model_that_refuses_is_named(
    client: httpx.AsyncClient, llm: FakeRouter, kind: Kind, status: int | None, answered: int
) -> None:
    llm.error = LLMError("azure-openai", "refused", kind, status)
    answer = await client.post(EXECUTE, json=GOOD)
    assert answer.status_code == answered
    assert answer.json()["provider"] == "azure-openai"
    assert answer.json()["providerStatus"] == status


async def test_without_any_model_the_caller_is_told_when_to_come_back(
    client: httpx.AsyncClient, llm: FakeRouter, store: FakeStore
) -> None:
    llm.error = ExhaustedError(
        [LLMError("azure-openai", "slow down", Kind.THROTTLED, 429, 9), LLMError("ollama", "-", Kind.RESET)],
        retry_after=6.2,
    )
    answer = await client.post(EXECUTE, json=GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["attempts"] == [
        {"provider": "azure-openai", "reason": "throttled", "providerStatus": 429},
        {"provider": "ollama", "reason": "reset", "providerStatus": None},
    ]
    assert store.kept == {}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (DeadlineError([]), 504, "deadline-exceeded"),
        (SkipError("no provider is called gpt"), 400, "nothing-to-ask"),
    ],
)
async def test_what_is_not_the_models_fault_has_a_problem_of_its_own(
    client: httpx.AsyncClient, llm: FakeRouter, error: Exception, status: int, kind: str
) -> None:
    llm.error = error
    answer = await client.post(EXECUTE, json=GOOD)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:agents:problem:{kind}")


async def test_over_budget_says_until_when(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    resets = datetime.now(UTC) + timedelta(hours=1)
    llm.error = OverBudget("notification", 100, 99, resets)
    answer = await client.post(EXECUTE, json=GOOD)
    assert answer.status_code == 429
    assert 3590 <= int(answer.headers["retry-after"]) <= 3600
    problem = answer.json()
    assert (problem["scope"], problem["limit"], problem["used"]) == ("notification", 100, 99)
    assert datetime.fromisoformat(problem["resetsAt"]) == resets


async def test_what_was_not_stored_is_not_answered(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.error = StoreError("Request blocked by Auth", 403)
    answer = await client.post(EXECUTE, json=GOOD)
    assert answer.status_code == 503
    assert answer.json()["storeStatus"] == 403


async def test_health_names_the_dependency_that_refuses(client: httpx.AsyncClient, store: FakeStore) -> None:
    assert (await client.get("/api/notification/health")).status_code == 200
    store.error = StoreError("principal lacks items/read", 403)
    answer = await client.get("/api/notification/health")
    assert answer.status_code == 503
    cosmos = next(part for part in answer.json()["dependencies"] if part["name"] == "cosmos")
    assert cosmos == {
        "name": "cosmos",
        "status": "unhealthy",
        "httpStatus": 403,
        "reason": "principal lacks items/read",
    }
    assert (await client.get("/healthz")).status_code == 200


async def test_an_unknown_execution_is_404(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/notification/executions/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert answer.json()["correlationId"] == answer.headers["x-correlation-id"]


async def test_a_malformed_correlation_id_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"x-correlation-id": "a b\tc" * 40})
    assert uuid.UUID(answer.headers["x-correlation-id"])


async def test_metrics_count_by_route_and_status(client: httpx.AsyncClient) -> None:
    await client.post(EXECUTE, json=GOOD)
    text = (await client.get("/metrics", follow_redirects=True)).text
    assert (
        'http_requests_total{agent="notification",method="POST",route="/api/notification/execute",status="200"}'
        in text
    )


@pytest.mark.parametrize("folder", sorted(PROMPTS.parent.iterdir()), ids=lambda folder: folder.name)
async def test_every_agent_is_served_with_the_prompt_of_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT", folder.name)
    monkeypatch.setenv("PROMPTS", str(folder))
    monkeypatch.setenv("LLMProvider__ProviderType", "Ollama")
    monkeypatch.setenv("CosmosDb__Endpoint", "https://cosmos.example")
    transport = httpx.ASGITransport(build(Settings()))  # type: ignore[call-arg]
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        assert f"/api/{folder.name}/execute" in paths
        refused = await client.post(f"/api/{folder.name}/execute", json={"input": {}})
    assert refused.status_code == 422
