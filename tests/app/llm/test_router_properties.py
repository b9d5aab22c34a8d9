"""Whatever the providers do: what the router promises, on drawn plans in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.llm.chat import Completion
from app.llm.failures import DeadlineError, ExhaustedError, Kind, LLMError, RouteError
from app.llm.metering import OverBudget
from tests.app.llm import virtual
from tests.app.llm.models import GOOD, HANG, MESSAGES, PROMPT, Behaviour, Ledger, Model, phases, router

FAILING_OVER = [kind for kind in Kind if LLMError("", "", kind).fails_over]
pauses = st.sampled_from([None, None, 0.2, 2, 30])
passing = st.builds(
    Behaviour,
    seconds=st.sampled_from([0, 0.02, 1, 5]),
    error=st.sampled_from(FAILING_OVER),
    status=st.none(),
    retry_after=pauses,
)
refusing = st.builds(
    Behaviour,
    seconds=st.sampled_from([0, 0.02]),
    error=st.sampled_from([Kind.REFUSED, Kind.CONTENT_FILTER]),
    status=st.sampled_from([400, 401, 403, 404]),
)
weather = st.one_of(st.just(GOOD), st.just(HANG), passing)


def plans(behaviours: st.SearchStrategy[Behaviour]) -> st.SearchStrategy[Callable[[float], Behaviour]]:
    part = st.tuples(st.sampled_from([0.5, 3, 20]), behaviours)
    return st.builds(lambda parts, last: phases(*parts, last=last), st.lists(part, max_size=5), behaviours)


arrivals = st.lists(st.sampled_from([0, 0.01, 0.3, 4]), min_size=1, max_size=25)


def _all(
    call: Callable[[], Coroutine[Any, Any, Completion]], gaps: list[float]
) -> Callable[[], Coroutine[Any, Any, list[Any]]]:
    """Calls that begin one after the other and overlap; what each ended in."""

    async def main() -> list[Any]:
        tasks = []
        for gap in gaps:
            await asyncio.sleep(gap)
            tasks.append(asyncio.ensure_future(call()))
        return await asyncio.gather(*tasks, return_exceptions=True)

    return main


@settings(max_examples=80)
@given(st.lists(plans(weather), min_size=0, max_size=2), st.integers(0, 2), arrivals)
def test_no_request_fails_while_one_provider_lives(
    ill: list[Callable[[float], Behaviour]], place: int, gaps: list[float]
) -> None:
    models = [Model(f"ill-{number}", plan) for number, plan in enumerate(ill)]
    models.insert(place, Model("well"))

    async def main() -> list[Any]:
        asked = router(*models)
        return await _all(lambda: asked.complete(PROMPT, MESSAGES), gaps)()

    for ended in virtual.run(main):
        assert isinstance(ended, Completion), ended


@settings(max_examples=80)
@given(
    drawn=st.lists(plans(st.one_of(weather, refusing)), min_size=1, max_size=3),
    gaps=arrivals,
    attempts=st.integers(1, 5),
    patience=st.sampled_from([0.05, 1, 8, 60]),
    concurrency=st.integers(1, 4),
    stream=st.booleans(),
)
def test_bounds_hold_whatever_happens(
    *,
    drawn: list[Callable[[float], Behaviour]],
    gaps: list[float],
    attempts: int,
    patience: float,
    concurrency: int,
    stream: bool,
) -> None:
    """Attempts, time, places and tokens, and no ending but those that are declared."""
    models = [Model(f"model-{number}", plan) for number, plan in enumerate(drawn)]
    ledger = Ledger()

    async def main() -> list[Any]:
        asked = router(
            *models, meter=ledger, concurrency=concurrency, values={"Limits": {"Attempts": attempts}}
        )

        async def call() -> Completion:
            end = virtual.now() + patience
            try:
                if not stream:
                    return await asked.complete(PROMPT, MESSAGES, deadline=end)
                *_, last = [part async for part in asked.stream(PROMPT, MESSAGES, deadline=end)]
                assert isinstance(last, Completion)
                return last
            finally:
                # The ledger takes its own moments, before and after.
                assert virtual.now() <= end + 0.01

        return await _all(call, gaps)()

    ended = virtual.run(main)
    calls = sum(len(model.calls) for model in models)
    assert calls <= attempts * len(ended)
    assert all(model.most_under_way <= concurrency for model in models)
    assert len(ledger.settled) == calls
    assert None not in ledger.settled
    for one in ended:
        if isinstance(one, RouteError):
            assert len(one.failures) <= attempts
            assert not isinstance(one, ExhaustedError) or 0 < one.retry_after <= 60
        else:
            assert isinstance(one, Completion) or (isinstance(one, LLMError) and not one.fails_over), one


@settings(max_examples=40)
@given(refusing, st.lists(passing, max_size=2))
def test_a_refusal_is_never_taken_elsewhere(refusal: Behaviour, before: list[Behaviour]) -> None:
    models = [Model(f"ill-{number}", phases(last=behaviour)) for number, behaviour in enumerate(before)]
    models += [Model("refusing", phases(last=refusal)), Model("well")]

    async def main() -> Any:
        asked = router(*models)
        return await _all(lambda: asked.complete(PROMPT, MESSAGES), [0])()

    (ended,) = virtual.run(main)
    assert isinstance(ended, LLMError)
    assert (ended.provider, ended.kind, ended.status) == ("refusing", refusal.error, refusal.status)
    assert [len(model.calls) for model in models] == [1] * (len(before) + 1) + [0]


@settings(max_examples=40)
@given(st.lists(plans(weather), min_size=1, max_size=3), st.integers(0, 500))
def test_a_budget_is_never_got_round_by_asking_somebody_else(
    drawn: list[Callable[[float], Behaviour]], limit: int
) -> None:
    models = [Model(f"model-{number}", plan) for number, plan in enumerate(drawn)]
    ledger = Ledger(limit=limit)

    async def main() -> list[Any]:
        asked = router(*models, meter=ledger)
        return await _all(lambda: asked.complete(PROMPT, MESSAGES), [0, 1, 1, 1, 1, 1])()

    ended = virtual.run(main)
    assert sum(ledger.reserved) <= limit
    assert sum(len(model.calls) for model in models) == len(ledger.reserved)
    assert all(isinstance(one, Completion | OverBudget | ExhaustedError | DeadlineError) for one in ended)
