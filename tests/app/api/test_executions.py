"""Running an agent over HTTP: idempotency keys, the choice of a prompt, pages, and inputs that attack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.prompts.prompt import Prompt
from tests.app.agents.test_agent import Model
from tests.app.conftest import PROMPTS, FakeRouter, FakeStore, make_agent
from tests.app.prompts.test_prompt import HOSTILE

INPUT = {"channel": "sms", "recipient": "+316", "message": "Node down", "severity": "critical"}
EXECUTE, LIST = "/api/notification/execute", "/api/notification/executions"


async def _execute(client: httpx.AsyncClient, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(EXECUTE, json={"input": INPUT, **body}, headers=headers)


async def test_a_request_under_a_key_runs_once(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    first, again = await _execute(client, "k-1"), await _execute(client, "k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert again.headers["x-llm-provider"] == "fake"
    assert len(llm.asked) == 1
    other = await _execute(client, "k-2")
    assert other.json()["id"] != first.json()["id"]


async def test_without_a_key_every_request_runs(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    assert (await _execute(client)).json()["id"] != (await _execute(client)).json()["id"]
    assert len(llm.asked) == 2


async def test_a_key_is_not_for_another_request(client: httpx.AsyncClient, llm: FakeRouter) -> None:
    await _execute(client, "k-1")
    answer = await _execute(client, "k-1", input={**INPUT, "message": "Node up"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:agents:problem:key-reused"
    assert len(llm.asked) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256])
async def test_a_malformed_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post(EXECUTE, json={"input": INPUT}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == "$.Idempotency-Key"


@pytest.mark.parametrize(
    "body",
    [
        rb'{"input": {"channel": "sms", "recipient": "r", "message": "\ud800"}}',
        rb'{"input": {"channel": "sms", "recipient": "r", "message": NaN}}',
        rb'{"input": {"channel": "sms", "recipient": "r", "message": "m", "\ud800": 1}}',
        b'{"input": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b'{"input": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"",
        b"null",
    ],
    ids=["surrogate", "NaN", "surrogate name", "deep", "long number", "no UTF-8", "nothing", "null"],
)
async def test_json_that_is_hardly_any_is_the_callers_fault(
    client: httpx.AsyncClient, llm: FakeRouter, body: bytes
) -> None:
    answer = await client.post(EXECUTE, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert llm.asked == []


async def test_a_request_may_name_its_prompt(client: httpx.AsyncClient) -> None:
    assert (await _execute(client, prompt="compose")).json()["prompt"] == "compose"
    answer = await _execute(client, prompt="shout")
    assert answer.status_code == 422
    assert answer.json()["problems"] == [
        {"path": "$.prompt", "message": "There is no prompt 'shout'; there is compose."}
    ]


async def test_executions_are_read_page_by_page_newest_first(client: httpx.AsyncClient) -> None:
    made = [(await _execute(client)).json()["id"] for _ in range(5)]
    read: list[str] = []
    page: dict[str, Any] = {"after": None}
    for size in (2, 2, 1):
        query = {"limit": 2, **({"after": page["after"]} if page["after"] else {})}
        page = (await client.get(LIST, params=query)).json()
        assert len(page["executions"]) == size
        read += [execution["id"] for execution in page["executions"]]
    assert (read, page["after"]) == (made[::-1], None)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"after": "nonsense"}])
async def test_a_page_that_cannot_be_is_refused_by_name(
    client: httpx.AsyncClient, query: dict[str, Any]
) -> None:
    answer = await client.get(LIST, params=query)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["path"] == f"$.{next(iter(query))}"


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("folder", sorted(PROMPTS.parent.iterdir()), ids=lambda folder: folder.name)
async def test_an_attack_changes_neither_schema_nor_budget_nor_provider(
    folder: Path, attack: str, store: FakeStore
) -> None:
    """What the provider is handed beside the user's text is the same, and so is the answer."""
    model: Any = Model()
    transport = httpx.ASGITransport(create_app(make_agent(model, store, folder)))
    (prompt, *_) = make_agent(model, store, folder).source.current.library.names
    example = make_agent(model, store, folder).source.current.default.meta.examples[0]
    field = max((name for name in example if isinstance(example[name], str)), key=lambda n: len(example[n]))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        calm, attacked = [
            await client.post(f"/api/{folder.name}/execute", json={"input": value})
            for value in (example, {**example, field: attack})
        ]
    assert (calm.status_code, attacked.status_code) == (200, 200)
    (asked, before), (other, after) = model.asked
    assert _frame(asked) == _frame(other)
    assert asked.name == prompt
    assert before[0] == after[0]
    same = ("x-llm-provider", "x-llm-model")
    assert [calm.headers[name] for name in same] == [attacked.headers[name] for name in same]
    assert _keys(calm.json()["output"]) == _keys(attacked.json()["output"])


def _frame(prompt: Prompt) -> Any:
    return prompt.meta.output, prompt.meta.model


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _keys(inner) for name, inner in value.items()}
    return [_keys(inner) for inner in value] if isinstance(value, list) else type(value)
