"""An agent's runs: once for one cause, with the events that follow; three agents that work an incident."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from app.agents.agent import Agent
from app.agents.run import Run
from app.events.event import Event
from app.events.handling import AttemptError, UnprocessableError
from app.llm.breaker import State
from app.llm.chat import Completion
from app.llm.failures import Kind, LLMError
from app.llm.health import ProviderReport
from app.prompts.library import UnknownPromptError
from app.prompts.prompt import Prompt
from app.prompts.schemas import sample
from app.telemetry.logs import correlation_id
from tests.app.conftest import PROMPTS, FakeStore, make_agent

TICKET = {
    "title": "Nobody can sign in",
    "description": "Everyone at the Utrecht office gets an error.",
    "reporter": "reception@example.com",
    "reportedAt": "2026-11-24T08:12:00Z",
    "affectedService": "order-portal",
}
TRIAGED = "agents.servicedesk.incident.triaged"


class Model:
    """Answers what fits the schema, corrected by `change`; remembers what it was asked."""

    def __init__(self, change: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.change, self.error = change, None
        self.asked: list[tuple[Prompt, list[dict[str, str]]]] = []
        self.failures: list[LLMError] = []

    async def complete(self, prompt: Prompt, messages: list[dict[str, str]], **_: Any) -> Completion:
        self.asked.append((prompt, messages))
        # Others get their turn, as while a model thinks.
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop()
        output = sample(prompt.meta.output, text="a word", number=1)
        self.change(output)
        return Completion(output, "fake", "model-1", 10, 5)

    async def report(self) -> list[ProviderReport]:
        return [ProviderReport("fake", "model-1", State.CLOSED, skipped=False, error=None)]

    async def close(self) -> None: ...


def _is_an_incident(output: dict[str, Any]) -> None:
    if "priority" in output:
        output |= {"priority": "P0", "category": "application"}
    if "actions" in output:
        output["actions"][0]["workflow"] = "restart-service"


@pytest.fixture
def model() -> Model:
    return Model(_is_an_incident)


def _agents(model: Model, store: FakeStore) -> dict[str, Agent]:
    return {folder.name: make_agent(model, store, folder) for folder in PROMPTS.parent.iterdir()}


async def test_an_incident_goes_from_servicedesk_to_devops_and_notification(
    model: Model, store: FakeStore
) -> None:
    agents = _agents(model, store)
    await agents["servicedesk"].execute(Run(TICKET, "incident-7"))
    delivered = deque(store.events)
    while delivered:
        event = delivered.popleft()
        # Event Grid's way there and back.
        event = Event.model_validate(event.sent())
        known = len(store.events)
        for agent in agents.values():
            await agent.handle(event)
            await agent.handle(event)
        delivered += store.events[known:]
    assert sorted((event.hops, event.type) for event in store.events) == [
        (0, TRIAGED),
        (1, "agents.devops.actions.proposed"),
        (1, "agents.notification.message.prepared"),
        (2, "agents.notification.message.prepared"),
    ]
    assert {event.correlationid for event in store.events} == {"incident-7"}
    by_agent: dict[str, list[Any]] = {}
    for execution in store.kept.values():
        assert execution.correlation_id == "incident-7"
        by_agent.setdefault(execution.agent, []).append(execution)
    assert {agent: len(runs) for agent, runs in by_agent.items()} == {
        "servicedesk": 1,
        "devops": 1,
        "notification": 2,
    }
    (triage,), (proposal,) = by_agent["servicedesk"], by_agent["devops"]
    assert proposal.input["incident"] == triage.id
    assert proposal.input["severity"] == "P0"
    assert [action["approval"] for action in proposal.output["actions"]] == ["two-people"]
    assert [run.input["channel"] for run in by_agent["notification"]] == ["sms", "slack"]
    assert triage.output["sla"]["respondBy"] in by_agent["notification"][0].input["message"]


async def test_a_request_for_something_new_is_no_incident(store: FakeStore) -> None:
    model = Model(lambda output: output.update(category="request"))
    await _agents(model, store)["servicedesk"].execute(Run(TICKET, "c-1"))
    assert (len(store.kept), store.events) == (1, [])


async def test_one_cause_asks_the_model_once(model: Model, store: FakeStore) -> None:
    agent = make_agent(model, store, PROMPTS.parent / "servicedesk")
    first = await agent.execute(Run(TICKET, "c-1", once="key:1"))
    again = await agent.execute(Run(TICKET, "c-2", once="key:1"))
    assert again == first
    assert (len(model.asked), len(store.kept), len(store.events)) == (1, 1, 1)
    await agent.execute(Run(TICKET, "c-3", once="key:2"))
    assert len(store.kept) == 2


async def test_of_two_at_once_both_are_answered_with_what_is_stored(model: Model, store: FakeStore) -> None:
    agent = make_agent(model, store, PROMPTS.parent / "servicedesk")
    first, second = await asyncio.gather(*(agent.execute(Run(TICKET, "c-1", once="key:1")) for _ in range(2)))
    assert first == second
    assert (len(store.kept), len(store.events)) == (1, 1)


async def test_an_event_whose_handling_failed_is_handled_again(model: Model, store: FakeStore) -> None:
    agents = _agents(model, store)
    await agents["servicedesk"].execute(Run(TICKET, "c-1"))
    (event,) = store.events
    model.failures = [LLMError("fake", "down", Kind.SERVER_ERROR, 503)]
    with pytest.raises(LLMError):
        await agents["devops"].handle(event)
    await agents["devops"].handle(event)
    assert [execution.agent for execution in store.kept.values()] == ["servicedesk", "devops"]


@pytest.mark.parametrize("data", [None, {}, {"priority": "P0"}, {"priority": ["P0"], "category": 1}])
async def test_an_event_that_makes_no_input_is_never_tried_again(
    model: Model, store: FakeStore, data: Any
) -> None:
    event = Event(id="e-1", source="/elsewhere", type=TRIAGED, data=data)
    with pytest.raises(UnprocessableError):
        await _agents(model, store)["devops"].handle(event)
    assert (model.asked, correlation_id.get()) == ([], "")


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (LLMError("fake", "filtered", Kind.CONTENT_FILTER, 400), UnprocessableError),
        (LLMError("fake", "too long", Kind.REFUSED, 400), UnprocessableError),
        (LLMError("fake", "no JSON, twice", Kind.INVALID_OUTPUT), AttemptError),
        (LLMError("fake", "no role", Kind.REFUSED, 403), LLMError),
        (LLMError("fake", "away", Kind.SERVER_ERROR, 500), LLMError),
    ],
)
async def test_what_a_model_says_no_to_is_told_from_a_model_that_is_away(
    model: Model, store: FakeStore, failure: LLMError, raised: type[Exception]
) -> None:
    """Only what is away is waited for: one event that no model takes must not hold up the others."""
    agents = _agents(model, store)
    await agents["servicedesk"].execute(Run(TICKET, "c-1"))
    model.failures = [failure]
    with pytest.raises(raised) as found:
        await agents["devops"].handle(store.events[0])
    assert type(found.value) is raised


async def test_an_event_of_no_interest_is_left_alone(model: Model, store: FakeStore) -> None:
    event = Event(id="e-1", source="/elsewhere", type="somebody.elses.business", data={"x": 1})
    for agent in _agents(model, store).values():
        await agent.handle(event)
    assert model.asked == []


async def test_a_prompt_that_is_not_there_is_refused(model: Model, store: FakeStore) -> None:
    with pytest.raises(UnknownPromptError, match="there is triage"):
        await _agents(model, store)["servicedesk"].execute(Run(TICKET, "c-1", prompt="shout"))
