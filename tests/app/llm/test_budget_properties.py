"""The budget under everything at once: replicas that crash anywhere, lost answers, late calls, midnight."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.llm.budget import Budget
from app.llm.metering import OverBudget
from app.store.documents import Documents
from app.store.errors import StoreError
from app.store.ledger import Ledger
from tests.app import virtual
from tests.app.faults import Faulty, chance
from tests.app.llm.test_budget import MIDNIGHT, RESERVATION, limits
from tests.app.store.container import Container, Document
from tests.app.virtual import Clock

AGENTS = ("devops", "servicedesk")


@dataclass(frozen=True)
class World:
    """What happens: `before` and `after` as in Faulty; of a hundred calls so many die with their pod."""

    seed: int
    replicas: int
    calls: int
    daily: int
    total: int
    before: int
    after: int
    dying: int
    #: Seconds that a call may take, more than which it outlives its reservation.
    longest: float
    midnight: bool


worlds = st.builds(
    World,
    seed=st.integers(0, 2**32),
    replicas=st.integers(1, 6),
    calls=st.integers(1, 12),
    daily=st.integers(500, 4000),
    total=st.integers(500, 6000),
    before=st.sampled_from([0, 5, 30]),
    after=st.sampled_from([0, 5, 30]),
    dying=st.sampled_from([0, 2, 10]),
    longest=st.sampled_from([1.0, 30.0]),
    midnight=st.booleans(),
)


class Watched(Container):
    """Holds every write against what must always be true."""

    def __init__(self, world: World) -> None:
        super().__init__("day")
        self._limits = {**dict.fromkeys(AGENTS, world.daily), "total": world.total}
        self.overspent: list[Document] = []

    def _put(self, body: Document) -> Document:
        used = body["committed"] + sum(one["tokens"] for one in body["reservations"].values())
        if used > self._limits[body["id"]]:
            self.overspent.append(body)
        return super()._put(body)


@dataclass
class Told:
    """What callers told the ledger: `sure` are commits of pods that lived, `maybe` of those that died."""

    sure: int = 0
    maybe: int = 0
    granted: int = 0
    refused: int = 0


@dataclass
class Replica:
    budget: Budget
    told: Told
    chance: random.Random
    world: World
    dead: bool = False
    committed: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def call(self) -> None:
        await asyncio.sleep(self.chance.uniform(0, 20))
        tokens = self.chance.randint(1, 400)
        try:
            booking = await self.budget.reserve(tokens)
        except OverBudget:
            self.told.refused += 1
            return
        except StoreError:
            return
        self.told.granted += 1
        self._perhaps_die()
        await asyncio.sleep(self.chance.uniform(0, self.world.longest))
        self._perhaps_die()
        if self.chance.random() < 0.2:
            await booking.release()
            return
        used = self.chance.randint(1, tokens)
        await booking.commit(used, 0)
        self.committed += used
        self._perhaps_die()

    def _perhaps_die(self) -> None:
        if not self.dead and self.chance.randrange(100) < self.world.dying:
            self.dead = True
            for task in (*self.tasks, *self.budget._tasks):
                task.cancel()

    async def live(self) -> None:
        await self.budget.__aenter__()
        self.tasks = [asyncio.create_task(self.call()) for _ in range(self.world.calls)]
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.dead:
            self.told.maybe += self.committed
            return
        # What could not be written within the time that a pod has is written by nobody; here it has enough.
        await self.budget._writer.drained()
        await self.budget.__aexit__(None, None, None)
        self.told.sure += self.committed


async def _happen(world: World) -> tuple[Watched, Told]:
    luck, kept, told = chance(world.seed), Watched(world), Told()
    container = Faulty(kept, luck, before=world.before, after=world.after)
    start = MIDNIGHT - timedelta(seconds=20) if world.midnight else virtual.START

    def budget(number: int, target: Any = container) -> Budget:
        clock = Clock(start, ahead=luck.uniform(-0.5, 0.5))
        return Budget(limits(world.daily, world.total), AGENTS[number % 2], Ledger(Documents(target)), clock)

    replicas = [Replica(budget(number), told, luck, world) for number in range(world.replicas)]
    await asyncio.gather(*(replica.live() for replica in replicas))
    # When every reservation has expired, the next write of each agent finds them.
    await asyncio.sleep(RESERVATION + 1)
    for number in range(2):
        async with budget(number, kept) as sweeper:
            with contextlib.suppress(OverBudget):
                await (await sweeper.reserve(1)).release()
    return kept, told


@settings(max_examples=150)
@given(worlds)
def test_the_budget_holds_whatever_happens(world: World) -> None:
    kept, told = virtual.run(_happen(world))
    assert kept.overspent == []
    per_scope = dict.fromkeys((*AGENTS, "total"), 0)
    for (_, scope), account in kept.kept.items():
        per_scope[scope] += account["committed"]
    # No call is counted twice or forgotten, but those of a pod that died before it could say.
    assert told.sure <= per_scope["total"] <= told.sure + told.maybe
    assert per_scope["total"] == per_scope["devops"] + per_scope["servicedesk"]
    last = max(day for day, _ in kept.kept) if kept.kept else ""
    for (day, _), account in kept.kept.items():
        # A day that is over is written no more, and nobody asks for its tokens.
        assert day < last or account["reservations"] == {}


def _late() -> World:
    return World(
        seed=7,
        replicas=4,
        calls=12,
        daily=4000,
        total=6000,
        before=5,
        after=5,
        dying=0,
        longest=150,
        midnight=False,
    )


def test_calls_that_outlive_their_reservations_are_counted_exactly() -> None:
    kept, told = virtual.run(_happen(_late()))
    assert told.granted > 20
    assert kept.kept[virtual.START.date().isoformat(), "total"]["committed"] == told.sure


def test_fifty_pods_at_once_are_all_answered_and_fill_the_budget_to_the_last_token() -> None:
    async def scenario() -> None:
        kept = Container("day")
        container = Faulty(kept, chance(11), seconds=0.02)
        ledger = Ledger(Documents(container))
        budgets = [Budget(limits(2000, 2000), "devops", ledger, Clock()) for _ in range(50)]
        for budget in budgets:
            await budget.__aenter__()
        asked = await asyncio.gather(
            *(budget.reserve(10) for budget in budgets for _ in range(5)), return_exceptions=True
        )
        granted = [one for one in asked if not isinstance(one, BaseException)]
        refused = [one for one in asked if isinstance(one, OverBudget)]
        assert (len(granted), len(refused)) == (200, 50)
        await asyncio.gather(*(booking.commit(10, 0) for booking in granted))
        for budget in budgets:
            await budget.__aexit__(None, None, None)
        day = virtual.START.date().isoformat()
        assert kept.kept[day, "devops"]["committed"] == 2000
        with pytest.raises(KeyError):
            _ = kept.kept["2026-11-02", "devops"]

    virtual.run(scenario())
