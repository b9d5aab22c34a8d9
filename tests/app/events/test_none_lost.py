"""Execute, outbox, topic, queue, consume: pods die at every step, and every event is processed once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

import pytest

from app.dependency import DependencyError
from app.events.consumer import Consumer
from app.events.event import Event, parse
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
from tests.app.faults import Faulty, chance
from tests.app.store.container import Container
from tests.app.virtual import Clock

FROM, TO = "servicedesk", "devops"
SETTINGS = ConsumerSettings.model_validate({"HandleSeconds": 30, "Concurrency": 8, "MaxDequeues": 8})


class Place:
    """What all pods share."""

    def __init__(self, seed: int = 1, *, faults: int = 0, twice: int = 0) -> None:
        self.chance, self.clock = chance(seed), Clock()
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
        while not place.idle():  # noqa: ASYNC110 - what is waited for is in many places
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


class Storm:
    """Clients that ask until they are answered, and pods that die after at most `longest` steps."""

    def __init__(self, place: Place, count: int, longest: int) -> None:
        self._place, self._longest = place, longest
        self.todo = deque(range(count))
        self.pods = Counter[str]()

    async def run(self) -> None:
        """Until everything is done."""
        parts = [self._outage(), *(self._publishing() for _ in range(2))]
        parts += [self._consuming() for _ in range(3)]
        running = [asyncio.create_task(part) for part in parts]
        async with asyncio.timeout(24 * 3600):
            while self.todo or not self._place.idle():  # noqa: ASYNC110 - what is waited for is in many places
                await asyncio.sleep(30)
        for task in running:
            task.cancel()

    def _pod(self, kind: str) -> Pod:
        self.pods[kind] += 1
        return Pod(dies_at=self._place.chance.randint(20, self._longest))

    async def _publishing(self) -> None:
        while True:
            pod = self._pod("publisher")
            store, relay = self._place.publisher(pod)
            await relay.__aenter__()
            clients = [asyncio.create_task(self._client(store, pod)) for _ in range(10)]
            await pod.dead.wait()
            # They hear nothing any more.
            await asyncio.wait(clients)

    async def _client(self, store: EventStore, pod: Pod) -> None:
        while not pod.dead.is_set():
            if not self.todo:
                await asyncio.sleep(5)
                continue
            number = self.todo.popleft()
            wanted = execution(FROM), [event(id=f"e-{number}")]
            try:
                async with asyncio.timeout(30):
                    await store.record(*wanted, once=f"request-{number}")
            except (StoreError, TimeoutError):
                self.todo.append(number)

    async def _consuming(self) -> None:
        while True:
            pod = self._pod("consumer")
            await self._place.consumer(pod).__aenter__()
            await pod.dead.wait()

    async def _outage(self) -> None:
        await asyncio.sleep(20)
        self._place.topic.down = True
        await asyncio.sleep(600)
        self._place.topic.down = False


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("count", "longest"), [(1_000, 600), pytest.param(10_000, 2_000, marks=pytest.mark.slow)]
)
def test_events_survive_everything_at_once(count: int, longest: int) -> None:
    """Cosmos DB, Event Grid and the queue fail now and then, Event Grid is down for ten minutes and delivers
    some events twice, pods die all the time, and rubbish lies in the queue."""

    async def scenario() -> None:
        place = Place(seed=42, faults=1, twice=10)
        rubbish = [place.queue.put("bm90IGpzb24="), place.queue.put("\x00\xff")]
        rubbish += [place.queue.deliver({"specversion": "1.0", "id": "1"})]
        rubbish += [place.queue.deliver(event(hops=99).sent())]
        storm = Storm(place, count, longest)
        await storm.run()
        owed, processed = place.owed(), place.processed()
        assert min(storm.pods.values()) > 5
        assert len(owed) == len(set(owed)) == count
        assert len(place.topic.accepted) > count, "nothing was published twice"
        assert max(processed.values()) == 1
        letters = place.kept.of("letter")
        given_up = [one["text"] for one in letters if "attempts failed" in one["reason"]]
        assert len(letters) - len(given_up) == len(rubbish)
        # What died with its pod again and again is kept and can be replayed; here that is next to nothing.
        assert len(given_up) <= count / 1000
        assert set(owed) == set(processed) | {parse(text).id for text in given_up}

    virtual.run(scenario())
