"""What an agent says of itself, and the console that shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import description
from app.llm.budget import Standing
from app.main import create_app
from app.settings import ConsoleSettings
from tests.app.conftest import FakeRouter, FakeStore, make_agent

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


def _agent() -> Any:
    llm: Any = FakeRouter()
    store: Any = FakeStore()
    return make_agent(llm, store)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(_agent(), console=ConsoleSettings.model_validate({"Agents": ["notification", "devops"]}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agent") as client:
        yield client


async def test_an_agent_tells_what_it_takes_and_does(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/notification")).json()
    assert told["agent"] == "notification"
    assert told["default"] in {prompt["name"] for prompt in told["prompts"]}
    assert "agents.servicedesk.incident.triaged" in told["listens"]
    assert told["emits"] == ["agents.notification.message.prepared"]
    assert told["budget"] is None
    for prompt in told["prompts"]:
        assert prompt["examples"]
        assert prompt["input"]["type"] == "object"


async def test_a_budget_is_told_with_its_end() -> None:
    app = FastAPI()
    app.include_router(description.router(_agent(), lambda: Standing(70, 100, MIDNIGHT)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agent") as client:
        told = (await client.get("/api/notification")).json()
    assert told["budget"] == {"used": 70, "limit": 100, "resetsAt": "2026-11-25T00:00:00Z"}


async def test_the_console_is_served_with_a_strict_policy(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert (await client.get("/console/agents")).json() == {"agents": ["notification", "devops"]}
    again = await client.get("/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["console.css", "console.js", "api.js"])
async def test_what_the_page_names_is_there(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/console/{name}")
    assert answer.status_code == 200
    assert len(answer.content) > 100


@pytest.mark.parametrize("name", ["..%2fapi%2fconsole.py", "__init__.py", "nothing.js"])
async def test_nothing_else_of_the_package_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/console/{name}")).status_code == 404


async def test_without_agents_to_list_there_is_no_console() -> None:
    transport = httpx.ASGITransport(create_app(_agent()))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        assert (await client.get("/")).status_code == 404
