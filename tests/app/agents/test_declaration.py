"""Declarations: what an execution gives rise to, and what an event asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.agents.declaration import DeclarationError, parse, read
from app.agents.expressions import ExpressionError
from app.events.event import Event
from app.store.executions import Execution, Usage

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
DECLARATION = parse("""
default: triage
constants: {team: first-line}
emits:
  - agents.servicedesk.ticket.seen
  - type: agents.servicedesk.incident.triaged
    when: output.priority == 'P0'
    data:
      {priority: output.priority, title: input.title, note: input.note, team: constants.team,
       id: execution.id}
  - {type: agents.servicedesk.other.done, prompt: other}
listens:
  - {type: agents.devops.a, when: data.severity == 'high', prompt: alert, input: {title: data.title}}
  - {type: agents.devops.a, input: {title: "'low: ' ~ data.title", team: constants.team, note: data.note}}
""")


def _execution(priority: str = "P0") -> Execution:
    return Execution(
        id="5f0c3f6e-0000-0000-0000-000000000001",
        agent="servicedesk",
        prompt="triage",
        prompt_version="1.0.0",
        input={"title": "{{ 7 * 7 }}"},
        output={"priority": priority},
        provider="fake",
        model="model-1",
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        correlation_id="incident-7",
        started_at=NOW,
        finished_at=NOW,
    )


def _event(data: Any, kind: str = "agents.devops.a", hops: int = 0) -> Event:
    return Event(
        id="e-1", source="/agents/devops", type=kind, data=data, correlationid="incident-7", hops=hops
    )


def test_an_execution_emits_what_its_conditions_let_through() -> None:
    seen, triaged = DECLARATION.events_of(_execution(), None, NOW)
    assert (seen.type, seen.data) == ("agents.servicedesk.ticket.seen", {})
    assert triaged.type == "agents.servicedesk.incident.triaged"
    # A field that is not there is left out, and a value is never a template.
    assert triaged.data == {
        "priority": "P0",
        "title": "{{ 7 * 7 }}",
        "team": "first-line",
        "id": _execution().id,
    }
    assert triaged.source == "/agents/servicedesk"
    assert triaged.subject == f"executions/{_execution().id}"
    assert (triaged.correlationid, triaged.hops, triaged.time) == ("incident-7", 0, NOW)
    assert [event.type for event in DECLARATION.events_of(_execution("P3"), None, NOW)] == [seen.type]


def test_the_same_execution_emits_the_same_events() -> None:
    first, second = (DECLARATION.events_of(_execution(), None, NOW) for _ in range(2))
    assert [event.id for event in first] == [event.id for event in second]
    assert len({event.id for event in first}) == len(first)


def test_a_caused_event_lies_one_hop_further_in_the_same_trace() -> None:
    events = DECLARATION.events_of(_execution(), _event({}, hops=3), NOW, "00-a-b-01")
    assert {(event.hops, event.traceparent) for event in events} == {(4, "00-a-b-01")}


def test_an_event_asks_for_what_the_first_fitting_listener_says() -> None:
    task = DECLARATION.task_for(_event({"severity": "high", "title": "Fire"}))
    assert task is not None
    assert (task.prompt, task.input) == ("alert", {"title": "Fire"})
    task = DECLARATION.task_for(_event({"severity": "low", "title": "Smoke"}))
    assert task is not None
    assert (task.prompt, task.input) == ("triage", {"title": "low: Smoke", "team": "first-line"})
    assert DECLARATION.task_for(_event({}, "agents.devops.b")) is None


@pytest.mark.parametrize("data", [None, "text", [], {"severity": "low", "title": []}])
def test_data_of_another_shape_are_an_error_of_the_expression(data: Any) -> None:
    strict = parse(
        "{default: a, listens: [{type: agents.devops.a, input: {x: data.severity ~ data.title.x}}]}"
    )
    with pytest.raises(ExpressionError, match="fails"):
        strict.task_for(_event(data))


def test_an_expression_cannot_leave_the_sandbox() -> None:
    declaration = parse("{default: a, listens: [{type: agents.a.b, input: {x: data.__class__.__mro__}}]}")
    with pytest.raises(ExpressionError, match="unsafe"):
        declaration.task_for(_event({}, "agents.a.b"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "agent.yaml"),
        ("default: [", "agent.yaml"),
        ("{default: a, emit: []}", "emit"),
        ("{default: a, emits: [Agents.A]}", "emits.0.type"),
        ("{default: a, listens: [{type: agents.a.b, input: {x: 'data.'}}]}", "is no expression"),
    ],
)
def test_a_broken_declaration_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(DeclarationError, match=reason):
        parse(text)


def test_a_single_prompt_needs_no_declaration(tmp_path: Path) -> None:
    assert read(tmp_path, ["triage"]).default == "triage"
    with pytest.raises(DeclarationError, match="default: <name>"):
        read(tmp_path, ["a", "b"])
