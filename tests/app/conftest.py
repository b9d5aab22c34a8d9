"""An agent over fakes: a provider that answers what it is told, a store in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.agents import definition
from app.agents.agent import Agent
from app.events.event import Event
from app.llm.breaker import State
from app.llm.chat import Completion
from app.llm.failures import LLMError
from app.llm.health import ProviderReport
from app.main import create_app
from app.prompts.prompt import Prompt
from app.prompts.reload import Watched
from app.store.documents import ContinuationError
from app.store.errors import StoreError
from app.store.events import Page, Recorded
from app.store.executions import Execution
from app.store.records import Record

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
        self.onces: dict[tuple[str, str], Execution] = {}
        self.events: list[Event] = []
        self.failed: list[Record] = []

    async def record(
        self, execution: Execution, events: Sequence[Event] = (), once: str | None = None
    ) -> Recorded:
        if self.error:
            raise self.error
        if once is not None:
            stored = self.onces.setdefault((execution.agent, once), execution)
            if stored is not execution:
                return Recorded(stored, fresh=False)
        self.kept[execution.agent, execution.id] = execution
        self.events += events
        return Recorded(execution, fresh=True)

    async def record_failure(self, record: Record) -> None:
        if self.error:
            raise self.error
        self.failed.append(record)

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        return self.kept.get((agent, execution_id))

    async def find_once(self, agent: str, once: str) -> Execution | None:
        return self.onces.get((agent, once))

    async def list(self, agent: str, limit: int, after: str | None = None) -> Page:
        mine = [execution for (owner, _), execution in self.kept.items() if owner == agent][::-1]
        if after is not None and not re.fullmatch("[0-9]{1,6}", after):
            raise ContinuationError
        start = int(after or 0)
        following = str(start + limit) if start + limit < len(mine) else None
        return Page(mine[start : start + limit], following)

    async def check(self, agent: str) -> None:
        if self.error:
            raise self.error

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def without_authentication(monkeypatch: pytest.MonkeyPatch) -> None:
    """What dev may do; tests of authentication set their own."""
    monkeypatch.setenv("ENVIRONMENT", "dev")
    monkeypatch.setenv("Authentication__Enabled", "false")


def make_agent(llm: Any, store: Any, folder: Path = PROMPTS) -> Agent:
    """The agent of a folder below `prompts/`, on fakes."""
    return Agent(folder.name, Watched(folder.name, folder, definition.read), llm, store)


@pytest.fixture
def llm() -> FakeRouter:
    return FakeRouter()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def client(llm: Any, store: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(make_agent(llm, store))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        yield client
