"""Republishing: what nobody acted upon is published again, what was is not, and a kill loses nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import republish as command
from app.dependency import DependencyError, RefusedError
from app.events.event import Event
from app.events.unconsumed import Search, Unconsumed, consumers
from app.republish import republish
from app.store.documents import BATCH, Documents
from app.store.letters import Letters
from app.store.markers import Markers
from app.store.outbox import Entry, Outbox
from tests.app.events.examples import event
from tests.app.store.container import Container
from tests.app.virtual import START

TRIAGED = "agents.servicedesk.triaged"
LISTENERS = {"servicedesk": (), "devops": (TRIAGED,), "notification": (TRIAGED, "agents.devops.done")}
ALL = datetime.min.replace(tzinfo=UTC)


@dataclass
class Topic:
    """Brings events to their consumers, as far as `delivers`; fails at the request `fails_at`."""

    documents: Documents
    delivers: bool = True
    fails_at: int | None = None
    refuses: frozenset[str] = frozenset()
    published: list[str] = field(default_factory=list)
    requests: int = 0

    async def publish(self, events: Sequence[dict[str, Any]]) -> None:
        self.requests += 1
        if self.requests == self.fails_at:
            raise DependencyError("503", 503)
        assert len(events) <= BATCH
        if self.refuses & {one["id"] for one in events}:
            raise RefusedError("413 Request Entity Too Large", 413)
        for body in events:
            one = Event.model_validate(body)
            self.published.append(one.id)
            for agent in consumers(one, LISTENERS) if self.delivers else ():
                await Markers(self.documents, agent).mark(one.key)


@pytest.fixture
def documents() -> Documents:
    return Documents(Container())


async def settle(documents: Documents, found: Sequence[Event], at: datetime = START) -> None:
    """Published by the relay at this time."""
    for one in found:
        agent = one.source.rpartition("/")[2]
        entry = Entry(f"outbox-topic-{one.key}", agent, "topic", one.sent(), at)
        await Outbox(documents, agent).settle([entry], at)


async def run(
    documents: Documents, topic: Topic, since: datetime = ALL, *, dry: bool = False
) -> list[tuple[Unconsumed, str]]:
    return [one async for one in republish(Search(documents, LISTENERS), topic, since, dry=dry)]


async def test_only_what_nobody_acted_upon_is_published_again(documents: Documents) -> None:
    lost, half, done = event(id="lost"), event(id="half"), event(id="done")
    await settle(documents, [lost, half, done])
    await Markers(documents, "devops").mark(half.key)
    for agent in ("devops", "notification"):
        await Markers(documents, agent).mark(done.key)
    topic = Topic(documents)
    outcome = {one.event.id: (one.by, said) for one, said in await run(documents, topic)}
    assert outcome == {
        "lost": (("devops", "notification"), "published"),
        "half": (("notification",), "published"),
    }
    assert sorted(topic.published) == ["half", "lost"]
    assert await run(documents, topic) == []


async def test_nobody_listens_to_it_so_nobody_misses_it(documents: Documents) -> None:
    await settle(
        documents, [event(type="agents.servicedesk.noted"), event(subject="/agents/other/1", type="a.b")]
    )
    assert await run(documents, Topic(documents)) == []


async def test_who_listens_to_no_type_gets_what_is_addressed_to_it(documents: Documents) -> None:
    await settle(
        documents, [event(id="mine", type="ask", subject="/agents/servicedesk/1", source="/agents/devops")]
    )
    ((one, said),) = await run(documents, Topic(documents))
    assert (one.event.id, one.by, said) == ("mine", ("servicedesk",), "published")


async def test_what_was_put_aside_is_left_to_who_replays_letters(documents: Documents) -> None:
    poison, refused = event(id="poison", source="/agents/devops"), event(id="refused")
    await settle(documents, [poison, refused])
    letters = Letters(documents)
    await letters.bury("notification", "m-1", json.dumps(poison.sent()), "8 attempts failed")
    await letters.bury("servicedesk", "m-2", json.dumps(refused.sent()), "refused by topic: 413")
    await letters.bury("servicedesk", "m-3", "rubbish", "not a CloudEvent")
    found = await run(documents, Topic(documents))
    assert [(one.event.id, one.by) for one, _ in found] == [("poison", ("devops",))]


async def test_only_since_then(documents: Documents) -> None:
    await settle(documents, [event(id="before")], START)
    await settle(documents, [event(id="after")], START + timedelta(seconds=1))
    found = await run(documents, Topic(documents), START + timedelta(seconds=1), dry=True)
    assert [one.event.id for one, _ in found] == ["after"]


async def test_a_dry_run_publishes_nothing(documents: Documents) -> None:
    await settle(documents, [event(id="lost")])
    topic = Topic(documents)
    assert [said for _, said in await run(documents, topic, dry=True)] == ["would be published"]
    assert topic.requests == 0


async def test_what_is_refused_does_not_hold_up_the_rest(documents: Documents) -> None:
    await settle(documents, [event(id=name) for name in ("a", "b", "c")])
    topic = Topic(documents, refuses=frozenset({"b"}))
    outcome = {one.event.id: said for one, said in await run(documents, topic)}
    assert outcome == {"a": "published", "b": "refused: 413 Request Entity Too Large", "c": "published"}


async def test_more_than_a_page_is_found(documents: Documents) -> None:
    await settle(documents, [event(id=f"e-{number}") for number in range(2 * BATCH + 1)])
    topic = Topic(documents)
    assert len(await run(documents, topic)) == 2 * BATCH + 1
    assert topic.requests == 3


@settings(max_examples=60)
@given(data=st.data())
def test_none_is_lost_and_none_is_published_that_was_consumed(data: st.DataObject) -> None:
    """Whoever consumed what before, and wherever the command is killed."""

    async def scenario() -> None:
        documents = Documents(Container())
        sources, types = ("/agents/servicedesk", "/agents/devops"), (TRIAGED, "agents.devops.done", "else")
        found = [
            event(id=f"e-{number}", source=data.draw(st.sampled_from(sources)), type=kind)
            for number, kind in enumerate(data.draw(st.lists(st.sampled_from(types), max_size=12)))
        ]
        await settle(documents, found)
        done = set()
        for one in found:
            wanted = consumers(one, LISTENERS)
            had = [agent for agent in wanted if data.draw(st.booleans())]
            for agent in had:
                await Markers(documents, agent).mark(one.key)
            if had == wanted:
                done.add(one.id)
        killed = Topic(documents, fails_at=data.draw(st.integers(1, 3)), delivers=data.draw(st.booleans()))
        for _ in range(2):
            try:
                await run(documents, killed)
            except DependencyError:
                continue
        again = Topic(documents)
        await run(documents, again)
        assert not done & {*killed.published, *again.published}
        for one in found:
            for agent in consumers(one, LISTENERS):
                assert await Markers(documents, agent).seen(one.key), (one.id, agent)

    asyncio.run(scenario())


def test_settings_that_are_missing_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    assert "Republish__Listeners" in capsys.readouterr().out


def test_a_time_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main(["--since", "yesterday"])
    assert refused.value.code == 2
    assert "'yesterday' is no time like 2026-11-01T08:00:00Z" in capsys.readouterr().err
