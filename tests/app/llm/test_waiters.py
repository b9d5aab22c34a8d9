from __future__ import annotations

import asyncio

from app.llm.waiters import Waiters
from tests.app.llm import virtual


def test_the_first_to_come_is_the_first_to_look() -> None:
    async def main() -> list[tuple[str, float]]:
        waiters, order = Waiters(), list[tuple[str, float]]()

        async def wait(name: str) -> None:
            await waiters.wait(60)
            order.append((name, virtual.now()))

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(wait(name))
            await asyncio.sleep(1)
            waiters.wake()
            await asyncio.sleep(1)
            waiters.wake()
        return order

    assert virtual.run(main) == [
        ("a", virtual.about(1)),
        ("b", virtual.about(2)),
        ("c", virtual.about(60)),
    ]


def test_nobody_is_woken_for_one_that_is_gone() -> None:
    async def main() -> float:
        waiters = Waiters()
        gone, late = asyncio.create_task(waiters.wait(60)), asyncio.create_task(waiters.wait(5))
        stays = asyncio.create_task(waiters.wait(60))
        await asyncio.sleep(0)
        gone.cancel()
        await late
        waiters.wake()
        await stays
        return virtual.now()

    assert virtual.run(main) == virtual.about(5)


def test_one_that_is_cancelled_just_when_it_is_woken_wakes_the_next() -> None:
    async def main() -> float:
        waiters = Waiters()
        first, second = asyncio.create_task(waiters.wait(60)), asyncio.create_task(waiters.wait(60))
        await asyncio.sleep(1)
        waiters.wake()
        first.cancel()
        await second
        return virtual.now()

    assert virtual.run(main) == virtual.about(1)


def test_waking_nobody_does_nothing() -> None:
    Waiters().wake()
