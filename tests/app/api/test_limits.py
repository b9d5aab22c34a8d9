"""How large a request may be, and what browsers are told about every answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import HttpSettings
from tests.app.conftest import FakeRouter, make_agent

EXECUTE = "/api/notification/execute"
LIMIT = 2048


@pytest.fixture
async def client(llm: Any, store: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(make_agent(llm, store), http=HttpSettings.model_validate({"MaxBodyBytes": LIMIT}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        yield client


def _body(size: int) -> bytes:
    frame = json.dumps({"input": {"channel": "sms", "recipient": "r", "message": ""}}).encode()
    return frame.replace(b'"message": ""', b'"message": "' + b"x" * (size - len(frame)) + b'"')


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 500):
        yield body[start : start + 500]


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 50, 413)])
async def test_a_body_over_the_limit_is_refused_with_a_problem(
    client: httpx.AsyncClient, llm: FakeRouter, chunked: bool, size: int, status: int
) -> None:
    body = _body(size)
    assert len(body) == size
    content = _chunks(body) if chunked else body
    answer = await client.post(EXECUTE, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert len(llm.asked) == (1 if status == 200 else 0)
    if status == 413:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == f"The request is larger than {LIMIT} bytes."
        assert answer.json()["correlationId"] == answer.headers["x-correlation-id"]


async def test_a_length_that_is_announced_is_refused_before_the_body_comes(client: httpx.AsyncClient) -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        taken.append(1)
        yield b"x"

    headers = {"content-length": str(LIMIT + 1), "content-type": "application/json"}
    answer = await client.post(EXECUTE, content=endless(), headers=headers)
    assert (answer.status_code, taken) == (413, [])


@pytest.mark.parametrize("path", ["/healthz", "/api/notification/executions", "/nowhere", EXECUTE])
async def test_every_answer_tells_browsers_to_do_nothing_clever(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "max-age=" in answer.headers["strict-transport-security"]


async def test_the_documentation_may_load_what_it_needs_and_no_more(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.status_code == 200
    assert "script-src 'unsafe-inline' https://cdn.jsdelivr.net;" in answer.headers["content-security-policy"]


async def test_no_other_origin_is_let_in(client: httpx.AsyncClient) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for answer in (
        await client.options(EXECUTE, headers=asked),
        await client.get("/healthz", headers=asked),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
