"""The store of executions, over a container in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError

from app.store.documents import ContinuationError, Documents
from app.store.errors import StoreError
from app.store.events import MOST_EVENTS, EventStore
from app.store.outbox import Entry, Outbox
from app.store.records import Record
from tests.app.events.examples import event, execution
from tests.app.faults import Faulty, chance
from tests.app.store.container import Container
from tests.app.virtual import START


@pytest.fixture
def container() -> Container:
    return Container()


@pytest.fixture
def store(container: Container) -> EventStore:
    return EventStore(Documents(container), recorded=True, clock=lambda: START)


async def test_an_execution_is_kept_with_what_follows_from_it(
    container: Container, store: EventStore
) -> None:
    told: list[Entry] = []
    store.subscribe(told.extend)
    wanted, raised = execution(), event()
    recorded = await store.record(wanted, [raised], once="request-1")
    assert (recorded.execution, recorded.fresh) == (wanted, True)
    assert await store.find(wanted.agent, wanted.id) == wanted
    assert {entry.target: entry.body["id"] for entry in told} == {"topic": raised.id, "sql": wanted.id}
    outbox = Outbox(Documents(container), wanted.agent)
    for target in ("topic", "sql"):
        (pending,) = await outbox.pending(target, START + timedelta(seconds=1))
        assert pending in told
    assert container.requests == 4, "a transaction, a reading, two queries"


async def test_of_one_cause_only_the_first_execution_is_kept(container: Container, store: EventStore) -> None:
    told: list[Entry] = []
    store.subscribe(told.extend)
    first = await store.record(execution(), [event()], once="request-1")
    before, kept = len(told), len(container.kept)
    again = await store.record(execution(), [event()], once="request-1")
    assert (again.execution, again.fresh) == (first.execution, False)
    assert (len(told), len(container.kept)) == (before, kept)
    assert await store.find_once("servicedesk", "request-1") == first.execution
    assert await store.find_once("servicedesk", "request-2") is None


async def test_of_many_at_once_one_is_kept_and_all_are_answered_with_it(store: EventStore) -> None:
    found = await asyncio.gather(*(store.record(execution(), once="request-1") for _ in range(20)))
    assert len({one.execution.id for one in found}) == 1
    assert [one.fresh for one in found].count(True) == 1


async def test_causes_are_each_agents_own_and_may_be_any_text(store: EventStore) -> None:
    once = "a/b\\c?d#" + "é" * 2000
    await store.record(execution("devops"), once=once)
    recorded = await store.record(execution("servicedesk"), once=once)
    assert recorded.fresh


async def test_without_a_cause_the_same_is_kept_twice(container: Container, store: EventStore) -> None:
    await store.record(execution())
    await store.record(execution())
    assert len(container.of("execution")) == 2
    assert container.of("once") == []


class LosesAnswers(Container):
    """Does what is asked, and repeats it as the SDK does after a lost answer."""

    async def execute_item_batch(self, batch_operations: Any, partition_key: str) -> list[dict[str, Any]]:
        await super().execute_item_batch(batch_operations, partition_key)
        return await super().execute_item_batch(batch_operations, partition_key)


@pytest.mark.parametrize("once", [None, "request-1"])
async def test_a_write_that_was_done_and_repeated_is_fresh(once: str | None) -> None:
    container, told = LosesAnswers(), list[Entry]()
    store = EventStore(Documents(container))
    store.subscribe(told.extend)
    recorded = await store.record(execution(), [event()], once)
    assert recorded.fresh
    assert len(told) == 1


async def test_when_the_answer_is_lost_asking_again_finds_it() -> None:
    container = Container()
    faulty = Faulty(container, chance(1), after=100, seconds=0)
    store = EventStore(Documents(faulty))
    with pytest.raises(StoreError, match="the answer was lost"):
        await store.record(execution(), once="request-1")
    faulty.after = 0
    recorded = await store.record(execution(), once="request-1")
    assert not recorded.fresh
    assert len(container.of("execution")) == 1


async def test_what_cannot_be_written_leaves_nothing(container: Container, store: EventStore) -> None:
    wanted = execution()
    await store.record(wanted)
    before = dict(container.kept)
    # Its id is taken by something else of another agent's cause: nothing of the batch may stay.
    container.kept["servicedesk", "outbox-topic-" + event(id="e").key] = {"type": "outbox"}
    with pytest.raises(StoreError):
        await store.record(execution(), [event(id="e")])
    assert {key for key in container.kept if not key[1].startswith("outbox-topic")} == set(before)


async def test_more_events_than_fit_a_transaction_are_refused(
    container: Container, store: EventStore
) -> None:
    with pytest.raises(ValueError, match=f"at most {MOST_EVENTS}"):
        await store.record(execution(), [event() for _ in range(MOST_EVENTS + 1)], once="x")
    await store.record(execution(), [event() for _ in range(MOST_EVENTS)], once="x")
    assert len(container.kept) == 100


async def test_a_failed_run_is_kept_for_the_table_alone(container: Container, store: EventStore) -> None:
    told: list[Entry] = []
    store.subscribe(told.extend)
    succeeded = Record.succeeded(execution())
    record = succeeded.model_copy(update={"status": "failed", "error": "no model answered"})
    await store.record_failure(record)
    assert [entry.target for entry in told] == ["sql"]
    assert Record.model_validate(told[0].body) == record
    assert container.of("execution") == []
    await EventStore(Documents(other := Container())).record_failure(record)
    assert other.kept == {}


async def _listed(store: EventStore, agent: str, limit: int) -> list[Sequence[str]]:
    pages: list[Sequence[str]] = []
    after = None
    while True:
        page = await store.list(agent, limit, after)
        pages.append([one.id for one in page.executions])
        after = page.after
        if after is None:
            return pages


async def test_executions_are_listed_newest_first_page_by_page(store: EventStore) -> None:
    made = [execution(at=START + timedelta(seconds=number)) for number in range(5)]
    for one in (*made, execution("devops")):
        await store.record(one, [event()])
    newest = [one.id for one in reversed(made)]
    assert await _listed(store, "servicedesk", 2) == [newest[:2], newest[2:4], newest[4:]]
    assert await _listed(store, "servicedesk", 5) == [newest]
    assert await _listed(store, "nobody", 5) == [[]]


@pytest.mark.parametrize("after", ["nonsense", "bm9uc2Vuc2U", "%00", "e30"])
async def test_a_continuation_of_ones_own_making_is_refused(store: EventStore, after: str) -> None:
    with pytest.raises(ContinuationError) as refused:
        await store.list("servicedesk", 2, after)
    assert refused.value.status == 400


async def test_what_the_service_says_is_passed_on() -> None:
    class Away(Container):
        async def read_item(self, item: str, partition_key: str) -> dict[str, Any]:
            raise ServiceResponseError("connection reset")

    with pytest.raises(StoreError, match="connection reset"):
        await EventStore(Documents(Away())).check("devops")


async def test_settled_entries_are_found_no_more_and_expire(container: Container, store: EventStore) -> None:
    told: list[Entry] = []
    store.subscribe(told.extend)
    await store.record(execution(), [event(), event()])
    outbox = Outbox(Documents(container), "servicedesk")
    topic = [entry for entry in told if entry.target == "topic"]
    await outbox.settle(topic[:1], START)
    await outbox.settle(topic[:1], START)
    assert await outbox.pending("topic", START + timedelta(days=1)) == topic[1:]
    assert await outbox.pending("topic", START) == []
    lives = {one["id"]: one["ttl"] for one in container.of("outbox")}
    assert (lives[topic[0].id], lives[topic[1].id]) == (86_400, -1)
