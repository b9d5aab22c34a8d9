"""What an attempt costs, however it ends: every reservation is settled once, at the right price."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.dependency import DependencyError
from app.llm.chat import Answer, Chat
from app.llm.dialect import Dialect
from app.llm.failures import Kind, LLMError
from app.llm.metering import OverBudget
from app.llm.providers import FilteredError
from tests.app.llm import virtual
from tests.app.llm.models import (
    BROKEN,
    GOOD,
    HANG,
    MESSAGES,
    PROMPT,
    Behaviour,
    Ledger,
    Model,
    one_by_one,
    router,
)

CHAT = Chat.of(PROMPT, MESSAGES)
WHOLE = CHAT.prompt_tokens + CHAT.max_tokens


@pytest.mark.parametrize(
    ("bad", "price"),
    [
        (Behaviour(error=Kind.THROTTLED), 0),
        (BROKEN, 0),
        (Behaviour(error=Kind.UNREACHABLE), 0),
        (Behaviour(error=Kind.REFUSED), 0),
        (Behaviour(error=Kind.CONTENT_FILTER), 0),
        (Behaviour(error=Kind.RESET), WHOLE),
        (Behaviour(error=Kind.TIMEOUT), WHOLE),
        (Behaviour(error=Kind.MALFORMED), WHOLE),
        (HANG, WHOLE),
    ],
)
def test_a_failure_costs_what_it_may_have_cost(bad: Behaviour, price: int) -> None:
    ledger = Ledger()

    async def main() -> None:
        asked = router(Model("first", lambda _: bad), Model("second"), meter=ledger)
        with contextlib.suppress(LLMError):
            await asked.complete(PROMPT, MESSAGES)

    virtual.run(main)
    assert (ledger.reserved[0], ledger.settled[0]) == (WHOLE, price)
    # Where it fails over, the second's answer costs what it counted: 10 and 5.
    assert ledger.settled[1:] == ([15] if LLMError("", "", bad.error or Kind.TIMEOUT).fails_over else [])


@pytest.mark.parametrize(("behaviour", "price"), [(GOOD, 15), (HANG, WHOLE + 1000)])
def test_thinking_is_reserved_and_paid_for(behaviour: Behaviour, price: int) -> None:
    ledger, thinker = Ledger(), Model("thinker", lambda _: behaviour)
    thinker.dialect = Dialect("max_completion_tokens", "low", 1000)

    async def main() -> None:
        with contextlib.suppress(DependencyError):
            await router(thinker, meter=ledger).complete(PROMPT, MESSAGES)

    virtual.run(main)
    assert (ledger.reserved[0], ledger.settled[0]) == (WHOLE + 1000, price)


def test_an_answer_that_is_held_back_was_paid_for() -> None:
    class Held(Model):
        async def complete(self, chat: Chat, seconds: float) -> Answer:
            answer = await super().complete(chat, seconds)
            raise FilteredError(answer, "held back")

    ledger = Ledger()

    async def main() -> None:
        with pytest.raises(LLMError, match="held back"):
            await router(Held("first"), meter=ledger).complete(PROMPT, MESSAGES)

    virtual.run(main)
    assert ledger.settled == [15]


def test_over_budget_nobody_is_asked_and_the_breaker_learns_nothing() -> None:
    first, second = Model("first"), Model("second")

    async def main() -> str:
        asked = router(first, second, meter=Ledger(limit=WHOLE - 1))
        for _ in range(10):
            with pytest.raises(OverBudget):
                await asked.complete(PROMPT, MESSAGES)
        return (await asked.report())[0].breaker

    assert virtual.run(main) == "closed"
    # The report asks for nothing that costs.
    assert (len(first.chats), len(second.chats)) == (1, 1)


def test_over_budget_gives_back_the_place_of_the_probe() -> None:
    """Else nobody would ever find out that the provider is back."""
    alone = Model("alone", one_by_one([BROKEN] * 5 + [GOOD] * 5))
    ledger = Ledger()

    async def main() -> str:
        asked = router(alone, meter=ledger, values={"Limits": {"Attempts": 1}})
        for _ in range(5):
            with pytest.raises(DependencyError):
                await asked.complete(PROMPT, MESSAGES)
        ledger.limit = 0
        with pytest.raises(OverBudget):
            await asked.complete(PROMPT, MESSAGES)
        ledger.limit = 10**9
        return (await asked.complete(PROMPT, MESSAGES)).provider

    assert virtual.run(main) == "alone"


def _cancelled(call: Callable[[Any], Coroutine[Any, Any, Any]], after: float) -> Ledger:
    ledger = Ledger()

    async def main() -> str:
        asked = router(Model("alone"), meter=ledger)
        task = asyncio.ensure_future(call(asked))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return (await asked.report())[0].breaker

    assert virtual.run(main) == "closed"
    return ledger


def test_who_is_cancelled_pays_for_what_the_provider_goes_on_to_do() -> None:
    # The ledger takes a millisecond to reserve, the model 50 to answer.
    assert _cancelled(lambda asked: asked.complete(PROMPT, MESSAGES), 0.02).settled == [WHOLE]


def test_who_is_cancelled_before_the_provider_is_asked_pays_nothing() -> None:
    assert _cancelled(lambda asked: asked.complete(PROMPT, MESSAGES), 0.0005).settled == []


def test_who_leaves_in_the_middle_of_a_stream_pays_for_all_of_it() -> None:
    ledger = Ledger()

    async def main() -> None:
        parts = router(Model("alone"), meter=ledger).stream(PROMPT, MESSAGES)
        assert await anext(parts) == "{"
        await parts.aclose()

    virtual.run(main)
    assert ledger.settled == [WHOLE]


def test_a_slow_reader_of_streams_takes_no_provider_from_the_others() -> None:
    async def main() -> str:
        asked = router(Model("alone"), values={"Breaker": {"Failures": 1, "Window": 1}})
        parts = asked.stream(PROMPT, MESSAGES)
        assert await anext(parts) == "{"
        # Longer than an attempt may take.
        await asyncio.sleep(21)
        with pytest.raises(LLMError, match="no answer within"):
            await anext(parts)
        return (await asked.report())[0].breaker

    assert virtual.run(main) == "closed"


def test_an_answer_is_given_though_the_ledger_cannot_be_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger()

    def away(*_: Any) -> None:
        raise DependencyError("ledger is away", 503)

    monkeypatch.setattr(ledger, "settle", away)

    async def main() -> str:
        return (await router(Model("alone"), meter=ledger).complete(PROMPT, MESSAGES)).provider

    with caplog.at_level(logging.WARNING):
        assert virtual.run(main) == "alone"
    assert "tokens not settled: ledger is away" in caplog.text


def test_without_a_ledger_no_model_is_asked() -> None:
    model = Model("alone")

    class Away(Ledger):
        async def reserve(self, tokens: int) -> Any:
            raise DependencyError("ledger is away", 503)

    async def main() -> None:
        with pytest.raises(DependencyError, match="ledger is away"):
            await router(model, meter=Away()).complete(PROMPT, MESSAGES)

    virtual.run(main)
    assert model.calls == []
