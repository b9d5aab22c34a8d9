"""Faults of data planes: in the shape of each service, and only at the host, path and method they name."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox.faults.interception import Faulty
from sandbox.faults.registry import Faults
from sandbox.names import Names

NAMES = Names("azure.test")
OPENAI = "https://oai-agents-dev.openai.azure.test/openai/deployments/chat/chat/completions"


async def _fine(scope: Any, receive: Any, send: Any) -> None:
    request = Request(scope, receive)
    answer: Response = PlainTextResponse((await request.body()).decode() or "fine")
    await answer(scope, receive, send)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def client(faults: Faults) -> Any:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Faulty(_fine, faults, NAMES))) as made:
        yield made


async def test_openai_asks_to_wait(faults: Faults, client: httpx.AsyncClient) -> None:
    faults.add({"target": "openai", "status": 429, "retry_after": 7, "times": 2})
    for _ in range(2):
        answer = await client.post(OPENAI, content="x")
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "429")
        assert (answer.headers["Retry-After"], answer.headers["retry-after-ms"]) == ("7", "7000")
    assert (await client.post(OPENAI, content="x")).text == "x"


@pytest.mark.parametrize(
    "pattern",
    [
        {"host": "oai-agents-prod.*"},
        {"path": "*/embeddings"},
        {"method": "GET"},
        {"target": "cosmos"},
        {"target": "arm", "type": "*"},
    ],
)
async def test_what_it_is_not_meant_for_passes(
    faults: Faults, client: httpx.AsyncClient, pattern: dict[str, str]
) -> None:
    faults.add({"target": "openai", "status": 500, **pattern})
    assert (await client.post(OPENAI, content="x")).text == "x"


async def test_only_one_account_of_two(faults: Faults, client: httpx.AsyncClient) -> None:
    faults.add({"target": "openai", "status": 503, "host": "oai-agents-dev.*", "path": "*/completions"})
    assert (await client.post(OPENAI)).status_code == 503
    assert (await client.post(OPENAI.replace("-dev.", "-dev-backup."))).status_code == 200


async def test_every_plane_speaks_its_own_language(faults: Faults, client: httpx.AsyncClient) -> None:
    for plane, host, expected in (
        ("cosmos", "cosmos-agents.documents.azure.test", {"code": "TooManyRequests"}),
        ("keyvault", "kv-agents.vault.azure.test", {"error": {"code": "TooManyRequests"}}),
        ("eventgrid", "topic.westeurope-1.eventgrid.azure.test", {"error": {"code": "TooManyRequests"}}),
        ("insights", "westeurope.in.applicationinsights.azure.test", {"error": {"code": "TooManyRequests"}}),
        ("registry", "acr.azurecr.azure.test", {"errors": [{"code": "TOOMANYREQUESTS"}]}),
    ):
        faults.add({"target": plane, "status": 429, "times": 1})
        answer = await client.get(f"https://{host}/x")
        assert answer.status_code == 429
        assert _without_messages(answer.json()) == expected
    faults.add({"target": "cosmos", "status": 429, "retry_after": 2})
    headers = (await client.get("https://c.documents.azure.test/")).headers
    assert (headers["x-ms-retry-after-ms"], headers["x-ms-substatus"]) == ("2000", "3200")
    faults.add({"target": "storage", "status": 503})
    answer = await client.get("https://st.blob.storage.azure.test/c/b")
    assert answer.headers["x-ms-error-code"] == "ServerBusy"
    assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code>')


def _without_messages(body: Any) -> Any:
    if isinstance(body, dict):
        return {key: _without_messages(value) for key, value in body.items() if key != "message"}
    return [_without_messages(value) for value in body] if isinstance(body, list) else body


async def test_a_hang_keeps_the_body(faults: Faults, client: httpx.AsyncClient) -> None:
    faults.add({"target": "openai", "hang": 0.05})
    assert (await client.post(OPENAI, content="kept")).text == "kept"


async def test_a_cut_breaks_the_answer_off(faults: Faults) -> None:
    faults.add({"target": "openai", "cut": True, "times": 1})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(Faulty(_fine, faults, NAMES), lifespan="off", log_level="critical")
        )
        serving = asyncio.create_task(server.serve([listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/chat/completions"
        async with httpx.AsyncClient(headers={"host": httpx.URL(OPENAI).host}) as client:
            with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
                await client.post(url, content="x")
            assert (await client.post(url, content="x")).text == "x"
        server.should_exit = True
        await serving
