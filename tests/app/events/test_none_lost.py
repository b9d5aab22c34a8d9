"""Execute, outbox, topic, queue, consume: pods die at every step, and every event is processed once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable

import pytest

from app.dependency import DependencyError
from app.events.consumer import Consumer
from app.events.event import Event
from app.events.relay import Relay
from app.settings import ConsumerSettings
from app.store.documents import Documents
from app.store.errors import StoreError
from app.store.events import EventStore
from app.store.letters import Letters
from app.store.markers import Markers
from app.store.outbox import Outbox
from tests.app import virtual
from tests.app.events.examples import event, execution
from tests.app.events.fakes import FakeQueue, FakeTopic, Pod
from tests.app.faults import Faulty
from tests.app.store.container import Container
from tests.app.virtual import Clock

FROM, TO = "servicedesk", "devops"
SETTINGS = ConsumerSettings(handle_seconds=30, concurrency=8, max_dequeues=8)


class Place:
    """What all pods share."""

    def __init__(self, seed: int = 1, *, faults: int = 0, twice: int = 0) -> None:
        self.chance, self.clock = random.Random(seed), Clock()
        self.kept = Container()
        self.cosmos = Faulty(self.kept, self.chance, before=faults, after=faults)
        self.queue = FakeQueue(self.clock)
        self.inbox = Faulty(self.queue, self.chance, before=faults, after=faults, error=_lost)
        self.topic = FakeTopic(self.queue, self.chance, twice=twice)
        self.grid = Faulty(self.topic, self.chance, before=faults, after=faults, error=_lost)

    def publisher(self, pod: Pod) -> tuple[EventStore, Relay]:
        documents = Documents(pod.seen_through(self.cosmos))
        store = EventStore(documents, clock=self.clock)
        relay = Relay(
            FROM,
            "topic",
            pod.seen_through(self.grid).entries,
            outbox=Outbox(documents, FROM),
            letters=Letters(documents, self.clock),
            clock=self.clock,
        )
        store.subscribe(relay.offer)
        return store, relay

    def consumer(self, pod: Pod) -> Consumer:
        documents = Documents(pod.seen_through(self.cosmos))
        store = EventStore(documents, clock=self.clock)

        async def handle(cause: Event) -> None:
            await pod.step()
            if await store.find_once(TO, cause.key) is None:
                await asyncio.sleep(self.chance.uniform(0, 2))
                await store.record(execution(TO, input={"cause": cause.id}), once=cause.key)

        return Consumer(
            TO,
            inbox=pod.seen_through(self.inbox),
            handler=handle,
            markers=Markers(documents, TO),
            letters=Letters(documents, self.clock),
            settings=SETTINGS,
            clock=self.clock,
        )

    def owed(self) -> list[str]:
        """Of every execution that Cosmos DB has taken, its event."""
        return sorted(one["body"]["id"] for one in self.kept.of("outbox") if one["agent"] == FROM)

    def processed(self) -> Counter[str]:
        done = [one for one in self.kept.of("execution") if one["agent"] == TO]
        return Counter(one["input"]["cause"] for one in done)

    def idle(self) -> bool:
        return not self.queue.kept and not any("pendingSince" in one for one in self.kept.of("outbox"))


def _lost(message: str) -> Exception:
    return DependencyError(message)


async def _until_idle(place: Place, most: float = 3600) -> None:
    async with asyncio.timeout(most):
        while not place.idle():
            await asyncio.sleep(1)


def _publishing_dies_at(step: int) -> bool:
    """Whether a pod that dies there, and the one after it, lose nothing. False when there is no such step."""

    async def scenario() -> bool:
        place = Place()
        pod = Pod(dies_at=step)
        store, relay = place.publisher(pod)
        await relay.__aenter__()
        recording = asyncio.create_task(store.record(execution(FROM), [event()], once="request-1"))
        await asyncio.sleep(100)
        died = pod.dead.is_set()
        again, second = place.publisher(Pod())
        await second.__aenter__()
        if not recording.done():
            # The caller got no answer and asks again with the same key.
            await again.record(execution(FROM), [event()], once="request-1")
        async with place.consumer(Pod()):
            await _until_idle(place)
        assert len(place.owed()) == 1
        assert place.processed() == Counter(place.owed())
        return died

    return virtual.run(scenario())


def _consuming_dies_at(step: int) -> bool:
    async def scenario() -> bool:
        place = Place()
        place.queue.deliver(event(id="e-1").sent())
        pod = Pod(dies_at=step)
        await place.consumer(pod).__aenter__()
        await asyncio.sleep(100)
        async with place.consumer(Pod()):
            await _until_idle(place)
        assert place.processed() == {"e-1": 1}
        assert place.kept.of("letter") == []
        return pod.dead.is_set()

    return virtual.run(scenario())


@pytest.mark.parametrize(
    ("dies_at", "steps"),
    [
        (_publishing_dies_at, 6),  # record, publish, settle
        (_consuming_dies_at, 13),  # take, look, handle, look, record, mark, delete
    ],
)
def test_a_pod_may_die_before_and_after_each_of_its_calls(dies_at: Callable[[int], bool], steps: int) -> None:
    assert [step for step in range(steps + 1) if dies_at(step)][:steps] == list(range(steps))


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_events_survive_everything_at_once(count: int) -> None:
    """Both services fail now and then, Event Grid is down for ten minutes, it delivers some events twice, pods
    die all the time, and rubbish lies in the queue."""

    async def scenario() -> None:
        place = Place(seed=42, faults=1, twice=10)
        chance = place.chance
        rubbish = [place.queue.put("bm90IGpzb24="), place.queue.put("\x00\xff")]
        rubbish += [place.queue.deliver({"specversion": "1.0", "id": "1"})]
        rubbish += [place.queue.deliver(event(hops=99).sent())]
        started = Counter[str]()
        todo = deque(range(count))

        async def client(store: EventStore, pod: Pod) -> None:
            """Asks until it is answered, elsewhere if need be."""
            while not pod.dead.is_set():
                if not todo:
                    await asyncio.sleep(5)
                    continue
                number = todo.popleft()
                wanted = execution(FROM), [event(id=f"e-{number}")]
                try:
                    async with asyncio.timeout(30):
                        await store.record(*wanted, once=f"request-{number}")
                except (StoreError, TimeoutError):
                    todo.append(number)

        async def publishing() -> None:
            while True:
                started["publisher"] += 1
                pod = Pod(dies_at=chance.randint(20, 600))
                store, relay = place.publisher(pod)
                await relay.__aenter__()
                for _ in range(10):
                    asyncio.create_task(client(store, pod))  # noqa: RUF006 - ends with the test
                await pod.dead.wait()

        async def consuming() -> None:
            while True:
                started["consumer"] += 1
                pod = Pod(dies_at=chance.randint(20, 600))
                await place.consumer(pod).__aenter__()
                await pod.dead.wait()

        async def outage() -> None:
            await asyncio.sleep(20)
            place.topic.down = True
            await asyncio.sleep(600)
            place.topic.down = False

        running = [asyncio.create_task(one) for one in (publishing(), publishing(), outage())]
        running += [asyncio.create_task(consuming()) for _ in range(3)]
        async with asyncio.timeout(24 * 3600):
            while todo or not place.idle():
                await asyncio.sleep(30)
        for task in running:
            task.cancel()

        owed, processed = place.owed(), place.processed()
        assert min(started.values()) > 10
        assert len(owed) == len(set(owed)) == count
        assert len(place.topic.accepted) > count, "nothing was published twice"
        letters = place.kept.of("letter")
        unlucky = {one["text"] for one in letters if "taken" in one["reason"]}
        assert len(letters) - len(unlucky) == len(rubbish)
        lost = set(owed) - set(processed) - {name for name in owed if any(name in one for one in unlucky)}
        assert lost == set()
        assert max(processed.values()) == 1

    virtual.run(scenario())
