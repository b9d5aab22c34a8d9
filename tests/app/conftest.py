"""An agent over fakes: a provider that answers what it is told, a store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.agents.agent import Agent
from app.events.event import Event
from app.llm.provider import Completion, LLMError
from app.main import create_app
from app.prompts.prompt import Prompt, load
from app.store.events import Recorded
from app.store.executions import Execution, StoreError
from app.store.records import Record

PROMPTS = Path(__file__).parents[2] / "prompts" / "notification"
ANSWER = {"subject": "Disk", "body": "Disk is full.", "tone": "urgent"}


class FakeProvider:
    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.asked: list[list[dict[str, str]]] = []

    async def complete(self, agent: str, prompt: Prompt, messages: list[dict[str, str]]) -> Completion:
        self.asked.append(messages)
        if self.error:
            raise self.error
        return Completion(ANSWER, "fake", "model-1", 10, 5)

    async def check(self) -> None:
        if self.error:
            raise self.error

    async def close(self) -> None: ...


class FakeStore:
    def __init__(self) -> None:
        self.error: StoreError | None = None
        self.kept: dict[tuple[str, str], Execution] = {}
        self.failed: list[Record] = []

    async def record(
        self, execution: Execution, events: Sequence[Event] = (), once: str | None = None
    ) -> Recorded:
        if self.error:
            raise self.error
        self.kept[execution.agent, execution.id] = execution
        return Recorded(execution, fresh=True)

    async def record_failure(self, record: Record) -> None:
        if self.error:
            raise self.error
        self.failed.append(record)

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        return self.kept.get((agent, execution_id))

    async def check(self, agent: str) -> None:
        if self.error:
            raise self.error

    async def close(self) -> None: ...


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def client(provider: Any, store: Any) -> AsyncIterator[httpx.AsyncClient]:
    agent = Agent("notification", load(PROMPTS)["compose"], provider, store)
    transport = httpx.ASGITransport(create_app(agent), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        yield client
