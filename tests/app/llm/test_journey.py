"""Whom a call asks, in which order, and when it gives up; in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.llm.failures import DeadlineError, ExhaustedError, Kind, LLMError, SkipError
from tests.app.llm import virtual
from tests.app.llm.models import (
    BROKEN,
    GOOD,
    HANG,
    MESSAGES,
    PROMPT,
    REFUSED,
    RESET,
    THROTTLED,
    Behaviour,
    Model,
    one_by_one,
    phases,
    router,
)


def _ask(*models: Model, times: int = 1, **options: Any) -> list[str]:
    """Who answered, one call after the other."""
    values, skip = options.pop("values", None), options.pop("skip", frozenset())

    async def main() -> list[str]:
        asked = router(*models, values=values, **options)
        return [(await asked.complete(PROMPT, MESSAGES, skip=skip)).provider for _ in range(times)]

    return virtual.run(main)


@pytest.mark.parametrize("bad", [THROTTLED, BROKEN, RESET, HANG, Behaviour(error=Kind.MALFORMED)])
def test_the_next_provider_answers_where_one_fails(bad: Behaviour) -> None:
    first, second = Model("first", lambda _: bad), Model("second")
    assert _ask(first, second) == ["second"]
    assert (len(first.calls), len(second.calls)) == (1, 1)


@pytest.mark.parametrize("kind", [Kind.REFUSED, Kind.CONTENT_FILTER])
def test_what_every_provider_would_refuse_is_asked_once(kind: Kind) -> None:
    first, second = Model("first", lambda _: Behaviour(error=kind, status=400)), Model("second")
    with pytest.raises(LLMError) as refused:
        _ask(first, second)
    assert (refused.value.kind, refused.value.provider) == (kind, "first")
    assert second.calls == []


def test_a_refusal_after_a_failover_ends_the_call_too() -> None:
    third = Model("third")
    with pytest.raises(LLMError) as refused:
        _ask(Model("first", lambda _: BROKEN), Model("second", lambda _: REFUSED), third)
    assert (refused.value.provider, third.calls) == ("second", [])


def test_refusals_open_no_breaker() -> None:
    first = Model("first", one_by_one([REFUSED] * 10 + [GOOD]))

    async def main() -> str:
        asked = router(first, Model("second"))
        for _ in range(10):
            with pytest.raises(LLMError):
                await asked.complete(PROMPT, MESSAGES)
        return (await asked.complete(PROMPT, MESSAGES)).provider

    assert virtual.run(main) == "first"


def test_a_provider_that_keeps_failing_is_left_alone_and_found_again() -> None:
    first = Model("first", phases((5, BROKEN)))

    async def main() -> list[str]:
        asked, answered = router(first, Model("second")), []
        for _ in range(100):
            answered.append((await asked.complete(PROMPT, MESSAGES)).provider)
            await asyncio.sleep(0.2)
        return answered

    answered = virtual.run(main)
    assert sum(call < 5 for call in first.calls) == 5, "the default of Failures"
    back = answered.index("first")
    assert set(answered[:back]) == {"second"}
    assert set(answered[back:]) == {"first"}


def test_a_provider_that_asks_for_a_pause_is_not_called_before_it_is_over() -> None:
    first = Model("first", one_by_one([Behaviour(0, Kind.THROTTLED, 429, retry_after=3), *[GOOD] * 100]))

    async def main() -> None:
        asked = router(first, Model("second"))
        while virtual.now() < 5:
            await asked.complete(PROMPT, MESSAGES)

    virtual.run(main)
    assert first.calls[0] == virtual.about(0)
    assert 3 <= first.calls[1] < 3.1


def test_a_short_pause_is_waited_for_where_there_is_nobody_else() -> None:
    alone = Model("alone", one_by_one([Behaviour(0, Kind.THROTTLED, 429, retry_after=0.4), GOOD]))
    assert _ask(alone) == ["alone"]
    assert alone.calls == pytest.approx([0, 0.4], abs=0.2)
    assert alone.calls[1] >= 0.4


def test_all_providers_down_tells_when_the_first_may_be_back() -> None:
    first = Model("first", lambda _: Behaviour(0.01, Kind.THROTTLED, 429, retry_after=30))
    second = Model("second", lambda _: Behaviour(0.01, Kind.SERVER_ERROR, 503, retry_after=12))
    with pytest.raises(ExhaustedError) as exhausted:
        _ask(first, second)
    assert exhausted.value.retry_after == pytest.approx(12, abs=0.05)
    assert [failure.provider for failure in exhausted.value.failures] == ["first", "second"]
    assert "first: as told; second: as told" in str(exhausted.value)


def test_while_all_are_away_nobody_is_called_and_the_wait_is_what_is_left() -> None:
    alone = Model("alone", lambda _: Behaviour(0, Kind.THROTTLED, 429, retry_after=30))

    async def main() -> float:
        asked = router(alone)
        with pytest.raises(ExhaustedError):
            await asked.complete(PROMPT, MESSAGES)
        await asyncio.sleep(10)
        with pytest.raises(ExhaustedError) as exhausted:
            await asked.complete(PROMPT, MESSAGES)
        return exhausted.value.retry_after

    assert virtual.run(main) == pytest.approx(20, abs=0.5)
    assert len(alone.calls) == 1


def test_a_call_makes_no_more_attempts_than_it_may() -> None:
    models = [Model(name, lambda _: BROKEN) for name in ("first", "second")]
    with pytest.raises(ExhaustedError):
        _ask(*models, values={"Limits": {"Attempts": 3}})
    assert sum(len(model.calls) for model in models) == 3


def test_without_a_retry_budget_each_provider_is_asked_once() -> None:
    models = [Model(name, lambda _: BROKEN) for name in ("first", "second")]
    with pytest.raises(ExhaustedError):
        _ask(*models, values={"Limits": {"RetryBurst": 0}})
    assert [len(model.calls) for model in models] == [1, 1]


def test_a_slip_of_the_only_provider_is_made_good() -> None:
    alone = Model("alone", one_by_one([RESET, GOOD]))
    assert _ask(alone) == ["alone"]
    assert alone.calls[1] - alone.calls[0] < 0.3


def test_time_is_left_for_the_others() -> None:
    first, second = Model("first", lambda _: HANG), Model("second", lambda _: HANG)
    third = Model("third", lambda _: Behaviour(seconds=1))

    async def main() -> tuple[str, float]:
        completion = await router(first, second, third).complete(PROMPT, MESSAGES, deadline=6)
        return completion.provider, virtual.now()

    assert virtual.run(main) == ("third", virtual.about(5))


def test_nothing_is_asked_when_there_is_no_time() -> None:
    alone = Model("alone")

    async def main() -> None:
        await asyncio.sleep(1)
        await router(alone).complete(PROMPT, MESSAGES, deadline=1)

    with pytest.raises(DeadlineError):
        virtual.run(main)
    assert alone.calls == []


def test_no_caller_may_have_more_time_than_the_settings_allow() -> None:
    async def main() -> float:
        asked = router(Model("alone", lambda _: HANG), values={"TimeoutSeconds": 7})
        with pytest.raises(DeadlineError, match="alone: no answer within 7 s"):
            await asked.complete(PROMPT, MESSAGES, deadline=1000)
        return virtual.now()

    assert virtual.run(main) == virtual.about(7)


def test_a_caller_in_a_hurry_takes_no_provider_from_the_others() -> None:
    slow = Model("slow", lambda _: Behaviour(seconds=2))

    async def main() -> str:
        asked = router(slow)
        for _ in range(20):
            with pytest.raises(DeadlineError):
                await asked.complete(PROMPT, MESSAGES, deadline=virtual.now() + 0.5)
        return (await asked.report())[0].breaker

    assert virtual.run(main) == "closed"


def test_when_a_provider_is_back_all_who_wait_go_on_at_once() -> None:
    alone = Model("alone", one_by_one([Behaviour(0, Kind.THROTTLED, 429, retry_after=0.5), *[GOOD] * 30]))

    async def main() -> float:
        asked = router(alone, values={"Limits": {"Attempts": 1}})
        with pytest.raises(ExhaustedError):
            await asked.complete(PROMPT, MESSAGES)
        await asyncio.gather(*(asked.complete(PROMPT, MESSAGES) for _ in range(30)))
        return virtual.now()

    # The pause, the probe, and the calls of all the others.
    assert virtual.run(main) == virtual.about(0.5 + 0.05 + 0.05)


def test_a_provider_is_given_no_more_calls_than_it_has_places() -> None:
    first, second = Model("first"), Model("second")

    async def main() -> list[str]:
        asked = router(first, second, concurrency=2)
        calls = [asked.complete(PROMPT, MESSAGES) for _ in range(9)]
        return [completion.provider for completion in await asyncio.gather(*calls)]

    answered = virtual.run(main)
    assert (first.most_under_way, second.most_under_way) == (2, 2)
    assert len(first.calls) + len(second.calls) == len(answered) == 9


def test_who_finds_no_place_in_time_is_told_to_come_back() -> None:
    alone = Model("alone", lambda _: Behaviour(seconds=5))

    async def main() -> list[Any]:
        asked = router(alone, concurrency=1)
        calls = [asked.complete(PROMPT, MESSAGES) for _ in range(2)]
        return await asyncio.gather(*calls, return_exceptions=True)

    done, refused = virtual.run(main)
    assert done.provider == "alone"
    assert isinstance(refused, ExhaustedError)
    assert (refused.retry_after, refused.failures) == (1, ())


def test_passing_over_a_provider_takes_one_request_only() -> None:
    first, second = Model("first"), Model("second")
    assert _ask(first, second, skip=frozenset({"first"})) == ["second"]
    assert _ask(first, second) == ["first"]


@pytest.mark.parametrize(
    ("skip", "message"),
    [({"first"}, "every provider is passed over"), ({"azure"}, "is called azure; there are first")],
)
def test_a_request_must_leave_somebody_to_ask(skip: set[str], message: str) -> None:
    with pytest.raises(SkipError, match=message):
        _ask(Model("first"), skip=frozenset(skip))


def test_what_the_operator_skips_adds_to_what_the_request_skips() -> None:
    models = [Model(name) for name in ("azure-openai", "azure-openai-backup", "ollama")]
    values = {"Skip": ["azure-openai"]}
    assert _ask(*models, values=values) == ["azure-openai-backup"]
    assert _ask(*models, values=values, skip=frozenset({"azure-openai-backup"})) == ["ollama"]
