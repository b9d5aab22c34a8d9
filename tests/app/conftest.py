"""An agent over fakes: a provider that answers what it is told, a store in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.agents.agent import Agent
from app.llm.breaker import State
from app.llm.chat import Completion
from app.llm.failures import LLMError
from app.llm.health import ProviderReport
from app.main import create_app
from app.prompts.prompt import Prompt, load
from app.store.executions import Execution, StoreError

PROMPTS = Path(__file__).parents[2] / "prompts" / "notification"
ANSWER = {"subject": "Disk", "body": "Disk is full.", "tone": "urgent"}


class FakeRouter:
    """Remembers what it was asked, and with which options; fails with `error`, `after` so many pieces."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.pieces, self.after = ["Disk", " is full."], 0
        self.asked: list[list[dict[str, str]]] = []
        self.options: list[dict[str, Any]] = []

    async def complete(self, prompt: Prompt, messages: list[dict[str, str]], **options: Any) -> Completion:
        self.asked.append(messages)
        self.options.append(options)
        if self.error:
            raise self.error
        return Completion(ANSWER, "fake", "model-1", 10, 5)

    async def stream(
        self, prompt: Prompt, messages: list[dict[str, str]], **options: Any
    ) -> AsyncGenerator[str | Completion, None]:
        for piece in self.pieces[: self.after if self.error else None]:
            yield piece
        yield await self.complete(prompt, messages, **options)

    async def report(self) -> list[ProviderReport]:
        error = self.error if isinstance(self.error, LLMError) else None
        return [ProviderReport("fake", "model-1", State.CLOSED, skipped=False, error=error)]

    async def close(self) -> None: ...


class FakeStore:
    def __init__(self) -> None:
        self.error: StoreError | None = None
        self.kept: dict[tuple[str, str], Execution] = {}

    async def save(self, execution: Execution) -> None:
        if self.error:
            raise self.error
        self.kept[execution.agent, execution.id] = execution

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        return self.kept.get((agent, execution_id))

    async def check(self, agent: str) -> None:
        if self.error:
            raise self.error

    async def close(self) -> None: ...


@pytest.fixture
def llm() -> FakeRouter:
    return FakeRouter()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def client(llm: Any, store: Any) -> AsyncIterator[httpx.AsyncClient]:
    agent = Agent("notification", load(PROMPTS)["compose"], llm, store)
    transport = httpx.ASGITransport(create_app(agent), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        yield client
