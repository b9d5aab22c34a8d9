"""The token budget as one or two pods see it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.llm.budget import RESERVED, Budget
from app.llm.metering import Meter, OverBudget
from app.settings import TokenBudgetSettings
from app.store.documents import Documents
from app.store.errors import StoreError
from app.store.ledger import Ledger
from app.telemetry.metrics import TOKENS_LIMIT, TOKENS_USED
from tests.app import virtual
from tests.app.faults import Faulty, chance
from tests.app.store.container import Container
from tests.app.virtual import START, Clock

TODAY = START.date().isoformat()
RESERVATION = 60.0
MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)


def limits(daily: int, total: int | None) -> TokenBudgetSettings:
    given = {"Daily": daily, "Total": total, "ReservationSeconds": RESERVATION}
    return TokenBudgetSettings.model_validate(given)


def _budget(
    container: Any, *, agent: str = "devops", daily: int = 1000, total: int | None = None, clock: Any = None
) -> Budget:
    return Budget(limits(daily, total), agent, Ledger(Documents(container)), clock or Clock())


def _scope(container: Container, scope: str = "devops", day: str = TODAY) -> dict[str, Any]:
    return container.kept[day, scope]


def test_what_was_used_is_counted_and_the_rest_given_back() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container, total=5000) as budget:
            meter: Meter = budget
            booking = await meter.reserve(400)
            for scope in ("devops", "total"):
                assert [one["tokens"] for one in _scope(container, scope)["reservations"].values()] == [400]
            await booking.commit(100, 50)
        for scope in ("devops", "total"):
            assert _scope(container, scope)["committed"] == 150
            assert _scope(container, scope)["reservations"] == {}

    virtual.run(scenario())


def test_what_is_released_costs_nothing_and_only_the_first_settlement_counts() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container) as budget:
            booking = await budget.reserve(400)
            await booking.release()
            await booking.commit(100, 50)
            other = await budget.reserve(400)
            await other.commit(1, 1)
            await other.commit(1, 1)
        assert _scope(container)["committed"] == 2

    virtual.run(scenario())


@pytest.mark.parametrize(("total", "scope", "limit"), [(None, "devops", 1000), (600, "total", 600)])
def test_over_budget_says_which_how_much_and_until_when(total: int | None, scope: str, limit: int) -> None:
    async def scenario() -> None:
        async with _budget(Container("day"), total=total) as budget:
            await budget.reserve(limit - 100)
            with pytest.raises(OverBudget) as refused:
                await budget.reserve(101)
            error = refused.value
            assert (error.scope, error.limit, error.used) == (scope, limit, limit - 100)
            assert error.resets_at == MIDNIGHT
            await budget.reserve(100)

    virtual.run(scenario())


def test_what_one_pod_gives_back_another_may_use_at_once() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container) as one, _budget(container) as other:
            booking = await one.reserve(900)
            with pytest.raises(OverBudget):
                await other.reserve(200)
            await booking.release()
            await asyncio.sleep(1)
            await other.reserve(200)

    virtual.run(scenario())


def test_agents_share_the_total_and_not_their_own() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with (
            _budget(container, agent="devops", daily=800, total=1000) as one,
            _budget(container, agent="servicedesk", daily=800, total=1000) as other,
        ):
            await one.reserve(700)
            with pytest.raises(OverBudget) as refused:
                await other.reserve(301)
            assert refused.value.scope == "total"
            await other.reserve(300)

    virtual.run(scenario())


def test_a_dead_pods_reservation_expires() -> None:
    async def scenario() -> None:
        container = Container("day")
        dead = _budget(container)
        await dead.__aenter__()
        await dead.reserve(900)
        async with _budget(container) as budget:
            with pytest.raises(OverBudget):
                await budget.reserve(200)
            await asyncio.sleep(61)
            await budget.reserve(200)
        assert [one["tokens"] for one in _scope(container)["reservations"].values()] == [200]

    virtual.run(scenario())


def test_a_call_that_outlived_its_reservation_still_counts() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container) as budget:
            booking = await budget.reserve(500)
            await asyncio.sleep(120)
            await (await budget.reserve(10)).release()
            await booking.commit(400, 50)
        assert _scope(container)["committed"] == 450

    virtual.run(scenario())


def test_what_a_call_used_beyond_its_reservation_is_counted_and_ends_the_day() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container) as budget:
            booking = await budget.reserve(1000)
            await booking.commit(1000, 20)
            await asyncio.sleep(1)
            with pytest.raises(OverBudget) as refused:
                await budget.reserve(1)
        assert refused.value.used == _scope(container)["committed"] == 1020

    virtual.run(scenario())


def test_when_all_is_used_nobody_asks_the_ledger() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container) as budget:
            await (await budget.reserve(1000)).commit(1000, 0)
            await asyncio.sleep(1)
            before = container.requests
            for _ in range(100):
                with pytest.raises(OverBudget):
                    await budget.reserve(1)
            assert container.requests == before

    virtual.run(scenario())


def test_the_day_turns_at_midnight_utc_and_a_call_counts_to_the_day_it_began() -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container, clock=Clock(MIDNIGHT - timedelta(seconds=10))) as budget:
            late = await budget.reserve(1000)
            with pytest.raises(OverBudget):
                await budget.reserve(1)
            await asyncio.sleep(10)
            early = await budget.reserve(700)
            await late.commit(900, 0)
            await early.commit(600, 0)
        assert _scope(container)["committed"] == 900
        assert _scope(container, day="2026-11-02")["committed"] == 600

    virtual.run(scenario())


def test_without_the_ledger_nothing_is_granted() -> None:
    async def scenario() -> None:
        container = Faulty(Container("day"), chance(1))
        container.down = True
        async with _budget(container) as budget:
            with pytest.raises(StoreError, match="did not answer within 10 s"):
                await budget.reserve(1)

    virtual.run(scenario())


def test_what_was_used_while_the_ledger_was_away_is_counted_when_it_is_back() -> None:
    async def scenario() -> None:
        kept = Container("day")
        container = Faulty(kept, chance(1))
        async with _budget(container) as budget:
            bookings = [await budget.reserve(100) for _ in range(3)]
            container.down = True
            for booking in bookings:
                await booking.commit(50, 0)
            await asyncio.sleep(600)
            container.down = False
            await asyncio.sleep(30)
        assert _scope(kept)["committed"] == 150

    virtual.run(scenario())


def test_who_gives_up_holds_nothing() -> None:
    async def scenario() -> None:
        kept = Container("day")
        container = Faulty(kept, chance(3), after=60)
        async with _budget(container) as budget:
            for wait in (0.0, 0.01, 0.02, 0.05, 0.5):
                asking = asyncio.create_task(budget.reserve(100))
                await asyncio.sleep(wait)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            await asyncio.sleep(30)
            container.after = 0
            await (await budget.reserve(1)).commit(1, 0)
        assert container.failures > 0
        assert (_scope(kept)["committed"], _scope(kept)["reservations"]) == (1, {})

    virtual.run(scenario())


def test_who_gives_up_in_the_moment_of_the_grant_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        container = Container("day")
        async with _budget(container) as budget:
            answer = budget._writer._answer

            def answer_and_cancel(*order: Any) -> None:
                answer(*order)
                asking.cancel()

            monkeypatch.setattr(budget._writer, "_answer", answer_and_cancel)
            asking = asyncio.create_task(budget.reserve(100))
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert _scope(container)["reservations"] == {}

    virtual.run(scenario())


def test_a_new_day_begins_for_who_has_used_up_the_last_one() -> None:
    async def scenario() -> None:
        async with _budget(Container("day"), clock=Clock(MIDNIGHT - timedelta(seconds=5))) as budget:
            await (await budget.reserve(1000)).commit(1000, 0)
            await asyncio.sleep(4)
            with pytest.raises(OverBudget):
                await budget.reserve(1)
            await asyncio.sleep(1)
            await budget.reserve(1000)

    virtual.run(scenario())


def test_calls_of_one_pod_share_its_writes() -> None:
    async def scenario() -> None:
        kept = Container("day")
        async with _budget(Faulty(kept, chance(1)), daily=10**6) as budget:
            before = kept.requests
            bookings = await asyncio.gather(*(budget.reserve(10) for _ in range(500)))
            await asyncio.gather(*(booking.commit(5, 5) for booking in bookings))
        assert kept.requests - before < 20
        assert _scope(kept)["committed"] == 5000

    virtual.run(scenario())


def test_the_gauges_show_the_ledger_and_start_again_at_midnight() -> None:
    def shown(agent: str) -> tuple[float, float, float]:
        gauges = (TOKENS_USED, RESERVED, TOKENS_LIMIT)
        used, reserved, limit = (gauge.labels(agent)._value.get() for gauge in gauges)
        return used, reserved, limit

    async def scenario() -> None:
        container = Container("day")
        clock = Clock(MIDNIGHT - timedelta(seconds=100))
        async with (
            _budget(container, agent="seen", total=2000, clock=clock) as busy,
            _budget(container, agent="idle", total=2000, clock=clock),
        ):
            await (await busy.reserve(100)).commit(70, 0)
            await busy.reserve(30)
            # The other pod has no calls, and still shows the total.
            await asyncio.sleep(40)
            assert shown("seen") == (70, 30, 1000)
            assert shown("idle") == (0, 0, 1000)
            assert shown("total") == (70, 30, 2000)
            await asyncio.sleep(100)
            assert shown("seen") == (0, 0, 1000)
            assert shown("total") == (0, 0, 2000)

    virtual.run(scenario())


def test_no_agent_is_called_like_the_total() -> None:
    with pytest.raises(ValueError, match="cannot be called total"):
        _budget(Container("day"), agent="total")
