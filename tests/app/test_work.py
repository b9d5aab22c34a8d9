"""What runs beside the requests, put together as in a pod: from an answer to the event and the row."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.agents.agent import Agent
from app.agents.run import Run
from app.events.event import Event
from app.llm.failures import Kind, LLMError
from app.main import build, create_app
from app.services import Services
from app.settings import Settings
from app.store.documents import Documents
from app.store.errors import StoreError
from app.store.events import EventStore
from app.store.records import Record
from app.work import budget_of, work_of
from tests.app import virtual
from tests.app.api.test_api import EXECUTE, GOOD
from tests.app.conftest import PROMPTS, FakeRouter, make_agent
from tests.app.events.examples import event
from tests.app.events.fakes import FakeQueue, FakeTopic
from tests.app.faults import chance
from tests.app.store.container import Container
from tests.app.virtual import Clock

TRIAGED = "agents.servicedesk.incident.triaged"
INCIDENT = {
    "incident": "i-1",
    "title": "Nobody can sign in",
    "description": "Since nine.",
    "reportedAt": "2026-11-24T08:12:00Z",
    "priority": "P0",
    "category": "access",
    "assignee": "application",
    "cause": "Cause unknown",
    "sla": {"respondBy": "2026-11-24T08:27:00Z", "resolveBy": "2026-11-24T12:12:00Z"},
}
ENVIRONMENT = {
    "AGENT": "notification",
    "PROMPTS": str(PROMPTS),
    "LLMProvider__ProviderType": "Ollama",
    "CosmosDb__Endpoint": "https://cosmos.example",
    "TokenBudget__Daily": "100000",
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Settings()  # type: ignore[call-arg]


class Table:
    def __init__(self) -> None:
        self.rows: list[Record] = []

    async def write(self, records: list[Record]) -> None:
        self.rows += records


class Cosmos:
    def __init__(self) -> None:
        self.containers = {"Events": Container(), "Ledger": Container("day")}
        self.closed = False

    def documents(self, container: str) -> Documents:
        return Documents(self.containers[container])

    async def close(self) -> None:
        self.closed = True


class Place:
    """Services in memory, and an agent with its work over them."""

    def __init__(self, settings: Settings) -> None:
        self.cosmos, self.table = Cosmos(), Table()
        self.queue = FakeQueue(Clock())
        self.topic = FakeTopic(self.queue, chance(1))
        services: Any = Services(self.cosmos, self.table, self.queue, self.topic, [])  # type: ignore[arg-type]
        self.store = EventStore(self.cosmos.documents("Events"), recorded=True, account=services.cosmos)
        self.llm = FakeRouter()
        llm: Any = self.llm
        self.agent: Agent = make_agent(llm, self.store)
        self.budget = budget_of(settings, services)
        self.work = work_of(settings, services, self.store, self.agent.handle)


def test_an_event_becomes_an_execution_and_a_row_once(settings: Settings) -> None:
    async def scenario() -> None:
        place = Place(settings)
        cause = event(type=TRIAGED, data=INCIDENT)
        for _ in range(2):
            place.queue.deliver(cause.sent())
        async with AsyncExitStack() as stack:
            for part in place.work:
                await stack.enter_async_context(part)
            # The second is looked at when it comes again.
            await asyncio.sleep(130)
            (execution,) = place.cosmos.containers["Events"].of("execution")
            assert execution["correlationId"] == "c-1"
            assert [str(row.id) for row in place.table.rows] == [execution["id"]]
            assert len(place.llm.asked) == 1
        assert place.queue.kept == {}

    virtual.run(scenario())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "None"),
        ({**INCIDENT, "title": None}, "title"),
        ({"priority": "P0"}, "title"),
    ],
)
def test_an_event_without_a_fitting_input_is_put_aside(settings: Settings, data: Any, reason: str) -> None:
    async def scenario() -> None:
        place = Place(settings)
        place.queue.deliver(event(type=TRIAGED, data=data).sent())
        async with place.work[-1]:
            await asyncio.sleep(1)
        (letter,) = place.cosmos.containers["Events"].of("letter")
        assert reason in letter["reason"]
        assert place.llm.asked == []

    virtual.run(scenario())


def test_a_request_is_answered_and_its_row_written_before_the_pod_is_gone(settings: Settings) -> None:
    async def scenario() -> None:
        place = Place(settings)
        app = create_app(place.agent, [], work=[*([place.budget] if place.budget else []), *place.work])
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://agent") as client,
        ):
            answer = await client.post(EXECUTE, json=GOOD)
            assert answer.status_code == 200
        assert [str(row.id) for row in place.table.rows] == [answer.json()["id"]]
        assert place.cosmos.closed

    virtual.run(scenario())


def test_a_run_that_failed_leaves_a_row_and_nothing_else(settings: Settings) -> None:
    async def scenario() -> None:
        place = Place(settings)
        place.llm.error = LLMError("ollama", "overloaded", Kind.SERVER_ERROR, 503)
        async with AsyncExitStack() as stack:
            for part in place.work:
                await stack.enter_async_context(part)
            with pytest.raises(LLMError):
                await place.agent.execute(Run(GOOD["input"], "c-1"))
            await asyncio.sleep(1)
        (row,) = place.table.rows
        assert (row.status, row.error, row.provider, row.model) == ("failed", "overloaded", "ollama", None)
        assert place.cosmos.containers["Events"].of("execution") == []

    virtual.run(scenario())


async def test_why_a_run_failed_is_said_also_when_that_cannot_be_kept(llm: Any, store: Any) -> None:
    llm.error, store.error = LLMError("ollama", "overloaded", Kind.SERVER_ERROR, 503), StoreError("away", 503)
    with pytest.raises(LLMError, match="overloaded"):
        await make_agent(llm, store).execute(Run(GOOD["input"], "c-1"))


def test_an_event_is_handled_once_by_its_key(settings: Settings) -> None:
    async def scenario() -> None:
        place = Place(settings)
        cause = Event.model_validate(json.loads(json.dumps(event(type=TRIAGED, data=INCIDENT).sent())))
        await place.agent.handle(cause)
        await place.agent.handle(cause)
        assert len(place.cosmos.containers["Events"].of("execution")) == 1

    virtual.run(scenario())


async def test_the_work_is_what_the_settings_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build(settings).title == "notification agent"
    monkeypatch.delenv("TokenBudget__Daily")
    place = Place(Settings())  # type: ignore[call-arg]
    assert place.budget is None
    assert [type(part).__name__ for part in place.work] == ["Relay", "Relay", "Lag", "Consumer"]
    nothing: Any = Services(Cosmos(), None, None, None, [])  # type: ignore[arg-type]
    assert work_of(settings, nothing, place.store, place.agent.handle) == []


def test_reservations_must_outlive_calls(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TokenBudget__ReservationSeconds", "60")
    with pytest.raises(ValidationError, match=r"ReservationSeconds \(60\) must be more than"):
        Settings()  # type: ignore[call-arg]
