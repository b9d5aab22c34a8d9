"""An agent over two model servers on loopback: what a caller sees of failover, and an operator of health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from app.agents.agent import Agent
from app.agents.declaration import Declaration
from app.agents.definition import Definition
from app.llm.lineup import Place
from app.llm.router import Router
from app.main import create_app
from app.prompts.library import Library
from tests.app.conftest import FakeStore
from tests.app.llm.conftest import Connect
from tests.app.llm.models import PROMPT, settings
from tests.app.llm.stub import END, Reply, Server, chunk, completion, error, events

EXECUTE = "/api/tester/execute"
ONLY = SimpleNamespace(current=Definition(Library({"say": PROMPT}, {}, {}), Declaration(default="say")))
MODELS = Reply(body=b'{"object": "list", "data": []}')


@pytest.fixture
async def client(server: Server, backup: Server, connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    places = [
        Place(connect(server.url), 10),
        Place(connect(backup.url, "azure-openai-backup"), 10),
    ]
    store: Any = FakeStore()
    agent = Agent("tester", ONLY, Router(settings(), "tester", places), store)
    transport = httpx.ASGITransport(create_app(agent), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        yield client


async def _ask(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(EXECUTE, json={"input": {}}, headers=named)


async def test_the_answer_says_who_gave_it(client: httpx.AsyncClient, server: Server) -> None:
    answer = await _ask(client)
    assert answer.headers["x-llm-provider"] == "azure-openai"
    assert answer.headers["x-llm-model"] == "gpt-5.4-mini-2026-03-17"
    server.script = [error(500)]
    failed_over = await _ask(client)
    assert failed_over.status_code == 200
    assert failed_over.headers["x-llm-provider"] == failed_over.json()["provider"] == "azure-openai-backup"


async def test_an_operator_proves_failover_without_breaking_anything(
    client: httpx.AsyncClient, server: Server
) -> None:
    proof = await _ask(client, x_llm_skip="azure-openai")
    assert proof.headers["x-llm-provider"] == "azure-openai-backup"
    assert server.requests == []
    assert (await _ask(client)).headers["x-llm-provider"] == "azure-openai"


@pytest.mark.parametrize("skip", ["azure-openai,azure-openai-backup", "azure", "ollama"])
async def test_skipping_everybody_or_nobody_we_know_is_a_bad_request(
    client: httpx.AsyncClient, skip: str
) -> None:
    answer = await _ask(client, x_llm_skip=skip)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:agents:problem:nothing-to-ask")
    assert "azure-openai-backup" in answer.json()["detail"]


async def test_with_both_away_the_caller_learns_when_the_first_is_back(
    client: httpx.AsyncClient, server: Server, backup: Server
) -> None:
    server.script = [error(429, headers={"retry-after": "40"})]
    backup.script = [error(429, headers={"retry-after": "20"})]
    for _ in range(2):
        answer = await _ask(client)
        assert answer.status_code == 503
        assert 18 <= int(answer.headers["retry-after"]) <= 20
    # The second time nobody was asked.
    assert answer.json()["attempts"] == []
    assert (len(server.requests), len(backup.requests)) == (1, 1)


async def test_a_caller_without_time_is_told_so(client: httpx.AsyncClient, server: Server) -> None:
    server.script = [Reply(body=None, ending="hang")]
    answer = await _ask(client, x_request_timeout_ms="1000", x_llm_skip="azure-openai-backup")
    assert (answer.status_code, answer.json()["type"]) == (504, "urn:agents:problem:deadline-exceeded")


async def test_events_come_from_whoever_answers(
    client: httpx.AsyncClient, server: Server, backup: Server
) -> None:
    server.script = [error(503)]
    backup.script = [events(chunk('{"word":'), chunk(' "yes"}'), *END)]
    answer = await _ask(client, accept="text/event-stream")
    assert answer.text.count("event: delta") == 2
    assert '"provider":"azure-openai-backup"' in answer.text.split("event: execution")[1]


async def _llm(client: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    answer = await client.get("/api/tester/health")
    parts = {part["name"]: part for part in answer.json()["dependencies"]}
    return answer.status_code, parts["llm"]


async def test_health_tells_of_each_provider_and_fails_with_the_last(
    client: httpx.AsyncClient, server: Server, backup: Server
) -> None:
    server.script, backup.script = [error(403)], [MODELS]
    code, llm = await _llm(client)
    assert (code, llm["status"]) == (200, "healthy")
    assert llm["providers"][0] == {
        "name": "azure-openai",
        "model": "gpt-5.4-mini",
        "status": "unhealthy",
        "breaker": "closed",
        "httpStatus": 403,
        "reason": llm["providers"][0]["reason"],
    }
    assert "refused with 403" in llm["providers"][0]["reason"]
    assert llm["providers"][1]["status"] == "healthy"
    server.script, backup.script = [error(403)], [error(500)]
    code, llm = await _llm(client)
    assert (code, llm["status"], llm["httpStatus"]) == (503, "unhealthy", 403)
    assert llm["reason"].startswith("azure-openai: ")


async def test_health_shows_an_open_breaker(
    client: httpx.AsyncClient, server: Server, backup: Server
) -> None:
    server.script = [error(429, headers={"retry-after": "40"}), MODELS]
    backup.script = [completion(), MODELS]
    assert (await _ask(client)).status_code == 200
    _, llm = await _llm(client)
    assert [provider["breaker"] for provider in llm["providers"]] == ["open", "closed"]
