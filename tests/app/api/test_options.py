"""Headers that say how a model is to be called, as they reach the router."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.app.conftest import FakeRouter

EXECUTE = "/api/notification/execute"
BODY = {"input": {"channel": "sms", "recipient": "+316", "message": "Node down"}}


async def _options(client: httpx.AsyncClient, llm: FakeRouter, headers: dict[str, str]) -> dict[str, object]:
    assert (await client.post(EXECUTE, json=BODY, headers=headers)).status_code == 200
    return llm.options[-1]


async def test_without_headers_nothing_is_wished_for(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    assert await _options(client, llm, {}) == {"deadline": None, "skip": frozenset(), "fresh": False}


async def test_a_timeout_becomes_an_instant(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    before = time.monotonic()
    deadline = (await _options(client, llm, {"x-request-timeout-ms": "1500"}))["deadline"]
    assert isinstance(deadline, float)
    assert before + 1.5 <= deadline <= time.monotonic() + 1.5


@pytest.mark.parametrize("value", ["0", "-5", "soon", "1e3", "9" * 400, ""])
async def test_a_timeout_that_is_none_is_refused_by_its_name(
    client: httpx.AsyncClient, llm: FakeRouter, value: str
) -> None:
    answer = await client.post(EXECUTE, json=BODY, headers={"x-request-timeout-ms": value})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == "$.x-request-timeout-ms"
    assert llm.asked == []


async def test_providers_are_named_with_commas_between(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    options = await _options(client, llm, {"x-llm-skip": " azure-openai, ollama,,"})
    assert options["skip"] == {"azure-openai", "ollama"}


@pytest.mark.parametrize(
    ("value", "fresh"), [("no-cache", True), ("max-age=0, No-Cache", True), ("max-age=3600", False)]
)
async def test_no_cache_asks_a_model(
    client: httpx.AsyncClient, llm: FakeRouter, value: str, fresh: bool
) -> None:
    assert (await _options(client, llm, {"cache-control": value}))["fresh"] is fresh
