"""The consumer, message by message."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from app.dependency import DependencyError
from app.events.consumer import CONSUMED, Consumer
from app.events.event import Event
from app.events.handling import AttemptError, UnprocessableError
from app.llm.metering import OverBudget
from app.settings import ConsumerSettings
from app.store.documents import Documents
from app.store.errors import StoreError
from app.store.letters import Letters
from app.store.markers import Markers
from app.telemetry.logs import correlation_id
from tests.app import virtual
from tests.app.events.examples import event
from tests.app.events.fakes import FakeQueue
from tests.app.faults import Faulty, chance
from tests.app.store.container import Container
from tests.app.virtual import START, Clock

HIDDEN = 30 + 30


@dataclass
class Desk:
    """A consumer with what it uses; `does` is what handling an event does after it was noted in `handled`."""

    does: Callable[[Event], Awaitable[None]] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    handled: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept, clock = Container(), Clock()
        self.cosmos = Faulty(self.kept, chance(1), seconds=0)
        self.queue = FakeQueue(clock)
        self.inbox = Faulty(self.queue, chance(1), seconds=0, error=DependencyError)
        given = {"HandleSeconds": 30, "Concurrency": 4, "MaxDequeues": 3, "MaxHops": 5, **self.settings}
        documents = Documents(self.cosmos)
        self.consumer = Consumer(
            "devops",
            inbox=self.inbox,
            handler=self._handle,
            markers=Markers(documents, "devops"),
            letters=Letters(documents, clock),
            settings=ConsumerSettings.model_validate(given),
            clock=clock,
        )

    async def _handle(self, cause: Event) -> None:
        self.handled.append(cause)
        if self.does:
            await self.does(cause)

    def deliver(self, **values: Any) -> None:
        self.queue.deliver(event(**values).sent())

    @property
    def letters(self) -> list[dict[str, Any]]:
        return self.kept.of("letter")


def _raising(error: Exception) -> Callable[[Event], Awaitable[None]]:
    async def does(_: Event) -> None:
        raise error

    return does


def _counted(outcome: str) -> float:
    return float(CONSUMED.labels("devops", outcome)._value.get())


def test_an_event_is_handled_marked_and_deleted_under_its_correlation_id() -> None:
    seen: list[str] = []

    async def scenario() -> None:
        async def does(_: Event) -> None:
            seen.append(correlation_id.get())

        desk, before = Desk(does), _counted("handled")
        desk.deliver(correlationid="incident-7")
        async with desk.consumer:
            await asyncio.sleep(1)
        assert seen == ["incident-7"]
        assert desk.queue.kept == {}
        assert len(desk.kept.of("consumed")) == 1
        assert _counted("handled") == before + 1

    virtual.run(scenario())


def test_an_event_that_comes_again_is_not_handled_again() -> None:
    async def scenario() -> None:
        desk = Desk()
        for _ in range(3):
            desk.deliver(id="e-1")
            async with asyncio.timeout(60), desk.consumer:
                await asyncio.sleep(1)
            desk.consumer._stopping.clear()
        assert [one.id for one in desk.handled] == ["e-1"]
        assert desk.queue.kept == {}

    virtual.run(scenario())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not base64!", "neither JSON nor base64"),
        (base64.b64encode(b"\xff\xfe").decode(), "neither JSON nor base64"),
        (base64.b64encode(b"{}").decode(), "not a CloudEvent"),
        ('{"id": 5}', "not a CloudEvent"),
        ("", "not a CloudEvent"),
    ],
)
def test_rubbish_is_put_aside_with_the_reason_and_nothing_stops(content: str, reason: str) -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.queue.put(content)
        desk.deliver(id="e-1")
        async with desk.consumer:
            await asyncio.sleep(1)
        (letter,) = desk.letters
        assert reason in letter["reason"]
        assert letter["text"] in {content, "{}"}
        assert [one.id for one in desk.handled] == ["e-1"]
        assert desk.queue.kept == {}

    virtual.run(scenario())


def test_a_loop_ends() -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.deliver(hops=5)
        desk.deliver(hops=6)
        async with desk.consumer:
            await asyncio.sleep(1)
        assert [one.hops for one in desk.handled] == [5]
        assert "at most 5 may" in desk.letters[0]["reason"]

    virtual.run(scenario())


def test_what_cannot_be_processed_is_put_aside_at_once() -> None:
    async def scenario() -> None:
        desk = Desk(_raising(UnprocessableError("$.incident: is missing")))
        desk.deliver()
        async with desk.consumer:
            await asyncio.sleep(1)
        assert len(desk.handled) == 1
        assert desk.letters[0]["reason"] == "$.incident: is missing"
        assert desk.kept.of("consumed") == []

    virtual.run(scenario())


def _slowly(seconds: float) -> Callable[[Event], Awaitable[None]]:
    async def does(_: Event) -> None:
        await asyncio.sleep(seconds)

    return does


@pytest.mark.parametrize(
    "does", [_raising(KeyError("defect")), _raising(AttemptError("no JSON")), _slowly(31)]
)
def test_what_fails_again_and_again_is_put_aside_in_the_end(does: Any) -> None:
    async def scenario() -> None:
        desk = Desk(does)
        desk.deliver()
        async with desk.consumer:
            await asyncio.sleep(HIDDEN * 3 - 1)
            assert len(desk.handled) == 3
            assert desk.letters == []
            await asyncio.sleep(HIDDEN)
        assert len(desk.handled) == 3
        assert desk.letters[0]["reason"] == "3 attempts failed"
        assert desk.queue.kept == {}

    virtual.run(scenario())


def test_what_was_put_aside_and_is_replayed_has_all_its_attempts_again() -> None:
    async def scenario() -> None:
        desk = Desk(_raising(KeyError("defect")))
        desk.deliver(id="e-1")
        async with desk.consumer:
            await asyncio.sleep(HIDDEN * 4)
            assert len(desk.letters) == 1
            tried = len(desk.handled)
            desk.deliver(id="e-1")
            await asyncio.sleep(HIDDEN * 4)
        assert len(desk.handled) == 2 * tried
        assert len(desk.letters) == 2

    virtual.run(scenario())


@pytest.mark.parametrize("error", [DependencyError("503", 503), StoreError("429", 429)])
def test_an_outage_of_hours_is_not_held_against_events(error: Exception) -> None:
    async def scenario() -> None:
        desk = Desk(_raising(error))
        for number in range(20):
            desk.deliver(id=f"e-{number}")
        async with desk.consumer:
            await asyncio.sleep(6 * 3600)
            tried = len(desk.handled)
            # Once a minute at most, when it has lasted.
            assert tried < 6 * 60 * 2
            assert len(desk.queue.kept) == 20
            desk.does = None
            await asyncio.sleep(600)
        assert desk.queue.kept == {}
        assert desk.letters == []
        assert {one.id for one in desk.handled[tried:]} == {f"e-{number}" for number in range(20)}

    virtual.run(scenario())


def test_one_failure_does_not_hold_up_the_others() -> None:
    async def scenario() -> None:
        failing = {"e-3"}

        async def does(cause: Event) -> None:
            if cause.id in failing:
                failing.remove(cause.id)
                raise DependencyError("connection reset")

        desk = Desk(does)
        for number in range(40):
            desk.deliver(id=f"e-{number}")
        async with desk.consumer:
            await asyncio.sleep(1)
            assert len(desk.kept.of("consumed")) == 39
            await asyncio.sleep(HIDDEN)
            assert len(desk.kept.of("consumed")) == 40

    virtual.run(scenario())


def test_over_budget_events_wait_for_the_new_day() -> None:
    async def scenario() -> None:
        reset = START + timedelta(hours=12)
        desk = Desk(_raising(OverBudget("devops", 10, 10, reset)))
        for number in range(20):
            desk.deliver(id=f"e-{number}")
        async with desk.consumer:
            await asyncio.sleep(12 * 3600 - 10)
            assert len(desk.handled) <= 4
            desk.does = None
            await asyncio.sleep(30)
            assert len(desk.kept.of("consumed")) == 20
        assert desk.letters == []

    virtual.run(scenario())


def test_without_cosmos_db_nothing_is_handled_or_lost() -> None:
    async def scenario() -> None:
        desk = Desk()
        for number in range(10):
            desk.deliver(id=f"e-{number}")
        desk.queue.put("rubbish")
        desk.cosmos.down = True
        async with desk.consumer:
            await asyncio.sleep(3600)
            assert desk.handled == []
            assert len(desk.queue.kept) == 11
            desk.cosmos.down = False
            await asyncio.sleep(600)
        assert len(desk.handled) == 10
        assert len(desk.letters) == 1

    virtual.run(scenario())


def test_a_queue_that_is_away_is_asked_seldom_and_used_when_it_is_back() -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.inbox.down = True
        async with desk.consumer:
            await asyncio.sleep(3600)
            assert desk.inbox.failures < 100
            desk.inbox.down = False
            desk.deliver()
            await asyncio.sleep(61)
            assert len(desk.handled) == 1

    virtual.run(scenario())


def test_as_many_are_handled_at_once_as_there_are_hands() -> None:
    async def scenario() -> None:
        at_once = [0, 0]

        async def does(_: Event) -> None:
            at_once[0] += 1
            at_once[1] = max(at_once)
            await asyncio.sleep(1)
            at_once[0] -= 1

        desk = Desk(does)
        for number in range(40):
            desk.deliver(id=f"e-{number}")
        async with desk.consumer:
            await asyncio.sleep(11)
            assert len(desk.kept.of("consumed")) == 40
        assert at_once[1] == 4

    virtual.run(scenario())


@pytest.mark.parametrize(("waiting", "done"), [(2, 2), (10, 4)])
def test_leaving_finishes_what_is_in_work_and_takes_nothing_more(waiting: int, done: int) -> None:
    async def scenario() -> None:
        desk = Desk(_slowly(20))
        for number in range(waiting):
            desk.deliver(id=f"e-{number}")
        async with desk.consumer:
            await asyncio.sleep(1)
        assert len(desk.kept.of("consumed")) == len(desk.handled) == done
        assert len(desk.queue.kept) == waiting - done
        assert asyncio.get_running_loop().time() < 22

    virtual.run(scenario())


def test_an_idle_consumer_leaves_at_once() -> None:
    async def scenario() -> None:
        desk = Desk(settings={"PollSeconds": 3600})
        async with desk.consumer:
            await asyncio.sleep(1)
        assert asyncio.get_running_loop().time() < 1.1

    virtual.run(scenario())
