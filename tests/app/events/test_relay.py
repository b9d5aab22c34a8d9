"""The relay: at once, after an outage, for pods that died, and one last time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.dependency import DependencyError, RefusedError
from app.events.relay import Relay
from app.store.documents import Documents
from app.store.events import EventStore
from app.store.letters import Letters
from app.store.outbox import Entry, Outbox, Target
from app.telemetry.metrics import EVENT_FAILURES, EVENTS_PUBLISHED
from tests.app import virtual
from tests.app.events.examples import event, execution
from tests.app.faults import Faulty, chance
from tests.app.store.container import Container
from tests.app.virtual import START, Clock

AGENT = "servicedesk"


class Post:
    """A store with a relay, and a target that does as `error` says."""

    def __init__(self, target: Target = "topic", kept: Container | None = None) -> None:
        self.kept = kept or Container()
        self.cosmos = Faulty(self.kept, chance(1), seconds=0)
        self.error: DependencyError | None = None
        self.refuses: set[str] = set()
        self.batches: list[list[str]] = []
        documents, clock = Documents(self.cosmos), Clock()
        self.store = EventStore(documents, recorded=True, clock=clock)
        self.relay = Relay(
            AGENT,
            target,
            self._deliver,
            outbox=Outbox(documents, AGENT),
            letters=Letters(documents, clock),
            clock=clock,
        )
        self.store.subscribe(self.relay.offer)

    async def _deliver(self, entries: Sequence[Entry]) -> None:
        self.batches.append([entry.body["id"] for entry in entries])
        if self.error:
            raise self.error
        if self.refuses & set(self.batches[-1]):
            raise RefusedError("400 Bad Request", 400)

    @property
    def delivered(self) -> list[str]:
        return [one for batch in self.batches for one in batch]

    def pending(self, target: str = "topic") -> list[dict[str, Any]]:
        return [one for one in self.kept.of("outbox") if "pendingSince" in one and one["target"] == target]


def _counted(counter: Any) -> float:
    return float(counter.labels(AGENT)._value.get())


def test_what_is_recorded_is_delivered_at_once_and_settled() -> None:
    async def scenario() -> None:
        post, before = Post(), _counted(EVENTS_PUBLISHED)
        async with post.relay:
            await post.store.record(execution(), [event(id="e-1"), event(id="e-2")])
            await asyncio.sleep(0.1)
            assert post.batches == [["e-1", "e-2"]]
            assert post.pending() == []
            # What is for another target is left to it.
            assert len(post.pending("sql")) == 1
        assert _counted(EVENTS_PUBLISHED) == before + 2

    virtual.run(scenario())


def test_rows_go_to_the_table_alone() -> None:
    async def scenario() -> None:
        post, one, before = Post("sql"), execution(), _counted(EVENTS_PUBLISHED)
        async with post.relay:
            await post.store.record(one, [event()])
            await asyncio.sleep(0.1)
        assert post.delivered == [one.id]
        assert len(post.pending("topic")) == 1
        assert _counted(EVENTS_PUBLISHED) == before

    virtual.run(scenario())


def test_an_outage_is_waited_out_with_fewer_and_fewer_attempts() -> None:
    async def scenario() -> None:
        post, before = Post(), _counted(EVENT_FAILURES)
        post.error = DependencyError("503", 503)
        async with post.relay:
            for number in range(250):
                await post.store.record(execution(), [event(id=f"e-{number}")])
            await asyncio.sleep(4 * 3600)
            attempts = len(post.batches)
            assert 4 * 60 <= attempts < 4 * 60 * 2 + 20
            assert _counted(EVENT_FAILURES) == before + attempts
            post.error = None
            await asyncio.sleep(61)
            assert post.pending() == []
            good = [one for batch in post.batches[attempts:] for one in batch]
            assert sorted(good) == sorted(f"e-{number}" for number in range(250))
            # The next outage is a new one.
            post.error = DependencyError("503", 503)
            await post.store.record(execution(), [event()])
            await asyncio.sleep(0.1)
            post.error = None
            await asyncio.sleep(1)
            assert post.pending() == []

    virtual.run(scenario())


def test_entries_of_a_pod_that_died_are_found_when_they_are_old() -> None:
    async def scenario() -> None:
        dead = Post()
        for number in range(3000):
            await dead.store.record(execution(), [event(id=f"e-{number}")])
        post = Post(kept=dead.kept)
        async with post.relay:
            await asyncio.sleep(55)
            assert post.delivered == []
            # A sweep brings five hundred; the next one does not wait as long as usual.
            await asyncio.sleep(60)
            assert sorted(post.delivered) == sorted(f"e-{number}" for number in range(3000))
            assert post.pending() == []

    virtual.run(scenario())


def test_what_was_delivered_and_not_settled_is_not_delivered_again() -> None:
    async def scenario() -> None:
        post = Post()
        async with post.relay:
            await post.store.record(execution(), [event(id="e-1")])
            post.cosmos.down = True
            await asyncio.sleep(300)
            assert post.delivered == ["e-1"]
            assert len(post.pending()) == 1
            post.cosmos.down = False
            await asyncio.sleep(300)
            assert post.delivered == ["e-1"]
            assert post.pending() == []

    virtual.run(scenario())


def test_what_is_refused_for_good_is_kept_as_a_letter_and_holds_up_nothing() -> None:
    async def scenario() -> None:
        post = Post()
        post.refuses = {"e-1"}
        async with post.relay:
            await post.store.record(execution(), [event(id=f"e-{number}") for number in range(4)])
            await asyncio.sleep(0.1)
        assert post.batches == [["e-0", "e-1", "e-2", "e-3"], ["e-0"], ["e-1"], ["e-2"], ["e-3"]]
        (letter,) = post.kept.of("letter")
        assert letter["reason"] == "refused by topic: 400 Bad Request"
        assert '"id": "e-1"' in letter["text"]
        assert post.pending() == []

    virtual.run(scenario())


@pytest.mark.parametrize("down", [True, False])
def test_leaving_delivers_what_is_left_or_leaves_it_to_others(down: bool) -> None:
    async def scenario() -> None:
        post = Post()
        post.error = DependencyError("503", 503)
        async with post.relay:
            await post.store.record(execution(), [event(id="e-1")])
            await asyncio.sleep(1000)
            post.error = post.error if down else None
        assert len(post.pending()) == int(down)
        assert asyncio.get_running_loop().time() < 1000 + 11

    virtual.run(scenario())


def test_an_entry_reads_back_as_it_was_written() -> None:
    async def scenario() -> None:
        post, told = Post(), list[Entry]()
        post.store.subscribe(told.extend)
        await post.store.record(execution(), [event()])
        found = await Outbox(Documents(post.kept), AGENT).pending("topic", START + timedelta(hours=1))
        assert found == told[:1]

    virtual.run(scenario())
