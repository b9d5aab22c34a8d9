"""Providers in memory that behave as a plan says, and what a test needs around them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from app.llm.chat import Answer, Chat
from app.llm.dialect import OLLAMA, Dialect
from app.llm.failures import Kind, LLMError
from app.llm.lineup import Place
from app.llm.metering import Booking, OverBudget
from app.llm.router import Router
from app.prompts.prompt import Prompt, parse
from app.settings import LLMSettings
from tests.app.llm import virtual

PROMPT_TEXT = """---
version: 1.0.0
description: Say a word.
model: {max_tokens: 50}
input: {type: object}
output:
  type: object
  required: [word]
  additionalProperties: false
  properties: {word: {type: string, enum: ["yes", "no"]}}
examples: [{}]
---
# System
Say a word.
# User
Now.
"""
PROMPT: Prompt = parse("say", PROMPT_TEXT)
MESSAGES = PROMPT.render({})
FITS = json.dumps({"word": "yes"})


@dataclass(frozen=True)
class Behaviour:
    """What a provider does with a call: fail with `error`, or answer `text`, after `seconds`."""

    seconds: float = 0.05
    error: Kind | None = None
    status: int | None = None
    retry_after: float | None = None
    text: str = FITS


GOOD = Behaviour()
HANG = Behaviour(seconds=10_000)
THROTTLED = Behaviour(0.01, Kind.THROTTLED, 429, retry_after=2)
BROKEN = Behaviour(0.01, Kind.SERVER_ERROR, 500)
RESET = Behaviour(0.02, Kind.RESET)
REFUSED = Behaviour(0.01, Kind.REFUSED, 401)


class Model:
    """A provider; `plan` says what it does at a time. `calls` are when it was called."""

    system, host = "test", "test.example"
    dialect: Dialect = OLLAMA

    def __init__(self, name: str, plan: Callable[[float], Behaviour] = lambda _: GOOD) -> None:
        self.name, self.model, self.plan = name, f"{name}-model", plan
        self.calls: list[float] = []
        self.chats: list[Chat] = []
        self.under_way = self.most_under_way = 0

    async def complete(self, chat: Chat, seconds: float) -> Answer:
        behaviour = self.plan(virtual.now())
        self.calls.append(virtual.now())
        self.chats.append(chat)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(behaviour.seconds)
        finally:
            self.under_way -= 1
        if behaviour.error is not None:
            raise LLMError(self.name, "as told", behaviour.error, behaviour.status, behaviour.retry_after)
        return Answer(behaviour.text, self.name, self.model, "id", "stop", 10, 5)

    async def stream(self, chat: Chat, seconds: float) -> AsyncGenerator[str | Answer, None]:
        answer = await self.complete(chat, seconds)
        for piece in answer.text:
            await asyncio.sleep(0.001)
            yield piece
        yield answer

    async def check(self) -> None:
        await self.complete(Chat([], {}, 0, 1), 1)

    async def close(self) -> None: ...


def phases(*parts: tuple[float, Behaviour], last: Behaviour = GOOD) -> Callable[[float], Behaviour]:
    """Each behaviour for so many seconds, one after the other, then the last."""

    def plan(now: float) -> Behaviour:
        for seconds, behaviour in parts:
            if now < seconds:
                return behaviour
            now -= seconds
        return last

    return plan


def one_by_one(behaviours: Iterable[Behaviour]) -> Callable[[float], Behaviour]:
    """A behaviour for each call."""
    left = iter(behaviours)
    return lambda _: next(left)


def settings(**values: Any) -> LLMSettings:
    """`ProviderType=Ollama` is what needs nothing else; the router is given its providers anyway."""
    return LLMSettings.model_validate({"ProviderType": "Ollama", **values})


def router(
    *models: Model, meter: Any = None, concurrency: int = 1000, values: Mapping[str, Any] | None = None
) -> Router:
    places = [Place(cast("Any", model), concurrency) for model in models]
    return Router(settings(**(values or {})), "tester", places, meter, clock=virtual.now)


@dataclass
class Ledger:
    """A meter that remembers how every reservation ended; refuses beyond `limit`."""

    limit: int = 10**12
    reserved: list[int] = field(default_factory=list)
    settled: list[int | None] = field(default_factory=list)

    async def reserve(self, tokens: int) -> Booking:
        # As a ledger that is reached over a network.
        await asyncio.sleep(0.001)
        if sum(self.reserved) + tokens > self.limit:
            raise OverBudget("tester", self.limit, sum(self.reserved), cast("Any", None))
        self.reserved.append(tokens)
        self.settled.append(None)
        return _Booking(self, len(self.reserved) - 1)

    def settle(self, index: int, tokens: int) -> None:
        assert self.settled[index] is None, "settled twice"
        self.settled[index] = tokens


@dataclass(frozen=True)
class _Booking:
    ledger: Ledger
    index: int

    async def commit(self, prompt_tokens: int, completion_tokens: int) -> None:
        await asyncio.sleep(0.001)
        self.ledger.settle(self.index, prompt_tokens + completion_tokens)

    async def release(self) -> None:
        await asyncio.sleep(0.001)
        self.ledger.settle(self.index, 0)
