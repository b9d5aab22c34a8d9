"""Executions as server-sent events."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.llm.failures import ExhaustedError, Kind, LLMError
from app.store.errors import StoreError
from tests.app.conftest import ANSWER, FakeRouter, FakeStore

EXECUTE = "/api/notification/execute"
BODY = {"input": {"channel": "sms", "recipient": "+316", "message": "Node down"}}


async def _ask(client: httpx.AsyncClient, accept: str = "text/event-stream") -> httpx.Response:
    return await client.post(EXECUTE, json=BODY, headers={"accept": accept})


def _events(answer: httpx.Response) -> list[tuple[str, Any]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def test_the_text_comes_in_pieces_and_then_the_stored_execution(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    *pieces, (last, execution) = _events(await _ask(client))
    assert pieces == [("delta", {"text": "Disk"}), ("delta", {"text": " is full."})]
    assert last == "execution"
    assert execution["output"]["body"] == ANSWER["body"]
    assert ("notification", execution["id"]) in store.kept


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, */*;q=0.5"])
async def test_who_does_not_ask_for_events_gets_json(client: httpx.AsyncClient, accept: str) -> None:
    assert (await _ask(client, accept)).json()["output"]["body"] == ANSWER["body"]


async def test_a_failure_before_the_first_piece_has_its_own_status(
    client: httpx.AsyncClient, llm: FakeRouter
) -> None:
    llm.error = ExhaustedError([], 3)
    answer = await _ask(client, "text/event-stream;q=1, application/json")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_input_that_does_not_fit_is_a_problem_here_too(client: httpx.AsyncClient) -> None:
    answer = await client.post(EXECUTE, json={"input": {}}, headers={"accept": "text/event-stream"})
    assert answer.status_code == 422


async def test_a_failure_after_the_first_piece_ends_the_events_with_the_problem(
    client: httpx.AsyncClient, llm: FakeRouter, store: FakeStore
) -> None:
    llm.error, llm.after = LLMError("azure-openai", "broke off", Kind.RESET), 1
    answer = await _ask(client)
    (first, _), (last, problem) = _events(answer)
    assert (answer.status_code, first, last) == (200, "delta", "problem")
    assert (problem["status"], problem["provider"]) == (503, "azure-openai")
    assert problem["correlationId"] == answer.headers["x-correlation-id"]
    assert store.kept == {}


@pytest.mark.parametrize(("error", "status"), [(StoreError("down", 503), 503), (RuntimeError("bug"), 500)])
async def test_what_cannot_be_stored_is_not_reported_as_done(
    client: httpx.AsyncClient,
    store: FakeStore,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    async def record(*_: Any) -> None:
        raise error

    monkeypatch.setattr(store, "record", record)
    last, problem = _events(await _ask(client))[-1]
    assert (last, problem["status"]) == ("problem", status)
