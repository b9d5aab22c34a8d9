"""The router: asks providers in order until one answers, and makes sure that the answer fits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from azure.core.credentials_async import AsyncTokenCredential

from app.llm import structured, telemetry
from app.llm.attempt import Attempt
from app.llm.breaker import Clock
from app.llm.cache import Cache
from app.llm.chat import Answer, Chat, Completion, Message
from app.llm.failures import DeadlineError, Kind, LLMError, RouteError, SkipError
from app.llm.health import ProviderReport, report
from app.llm.journey import Journey, Road
from app.llm.lane import Lane
from app.llm.limits import RetryBudget
from app.llm.lineup import Place, line_up
from app.llm.metering import Meter, Unmetered
from app.llm.waiters import Waiters
from app.prompts.prompt import Prompt
from app.settings import LLMSettings


class Router:
    """One agent's way to its models. Shared by all requests; keeps what it knows of the providers.

    Every method that asks a model raises: OverBudget; SkipError; LLMError for a refusal that no other
    provider would mend and for an answer that still does not fit after a repair; ExhaustedError when every
    provider failed; DeadlineError.
    """

    def __init__(
        self,
        settings: LLMSettings,
        agent: str,
        places: Sequence[Place],
        meter: Meter | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._settings, self._agent, self._clock = settings, agent, clock
        self._meter = meter or Unmetered()
        self._cache = Cache(settings.cache, agent, clock)
        limits, waiters = settings.limits, Waiters()
        retries = RetryBudget(limits.retry_share, limits.retry_burst)
        self._road = Road(limits, settings.attempt_seconds, retries, waiters, clock)
        self._lanes = [
            Lane(
                place.provider,
                place.concurrency,
                breaker=settings.breaker,
                agent=agent,
                clock=clock,
                on_leave=waiters.wake,
            )
            for place in places
        ]
        self._on_the_way(frozenset())

    async def complete(
        self,
        prompt: Prompt,
        messages: Sequence[Message],
        *,
        deadline: float | None = None,
        skip: frozenset[str] = frozenset(),
        fresh: bool = False,
    ) -> Completion:
        """An answer that fits the prompt's output schema.

        `deadline` is an instant of `time.monotonic()`, never later than the settings allow. `skip` names
        providers to pass over this time, `fresh` asks for no answer from the cache.
        """
        chat, lanes, deadline = Chat.of(prompt, messages), self._on_the_way(skip), self._bounded(deadline)
        # Who skips a provider wants to see another one at work.
        known = None if fresh or skip else self._cache.find(chat)
        if known is not None:
            return known
        answer = await self._ask(chat, lanes, deadline)
        completion = await self._fitting(chat, answer, lanes, deadline)
        self._cache.keep(chat, completion)
        return completion

    async def stream(
        self,
        prompt: Prompt,
        messages: Sequence[Message],
        *,
        deadline: float | None = None,
        skip: frozenset[str] = frozenset(),
    ) -> AsyncGenerator[str | Completion, None]:
        """The answer's text in pieces as it comes, and at last the completion, which is what counts.

        Another provider is asked only before the first piece. Where the whole text does not fit the schema
        and is repaired, the completion differs from the pieces.
        """
        chat, lanes, deadline = Chat.of(prompt, messages), self._on_the_way(skip), self._bounded(deadline)
        async with aclosing(self._ask_in_pieces(chat, lanes, deadline)) as parts:
            async for part in parts:
                if isinstance(part, Answer):
                    yield await self._fitting(chat, part, lanes, deadline)
                else:
                    yield part

    async def report(self) -> list[ProviderReport]:
        """Each provider's state and whether it can be reached, in order, those passed over included."""
        return list(
            await asyncio.gather(
                *(report(lane, skipped=lane.name in self._settings.skip) for lane in self._lanes)
            )
        )

    async def close(self) -> None:
        for lane in self._lanes:
            await lane.provider.close()

    def _on_the_way(self, skip: frozenset[str]) -> list[Lane]:
        names = [lane.name for lane in self._lanes]
        if unknown := sorted(skip.difference(names)):
            raise SkipError(f"no provider is called {', '.join(unknown)}; there are {', '.join(names)}")
        lanes = [lane for lane in self._lanes if lane.name not in skip | self._settings.skip]
        if not lanes:
            raise SkipError(
                f"every provider is passed over, by this request or by LLMProvider__Skip: {', '.join(names)}"
            )
        return lanes

    def _bounded(self, deadline: float | None) -> float:
        latest = self._clock() + self._settings.timeout_seconds
        return latest if deadline is None else min(deadline, latest)

    async def _ask(self, chat: Chat, lanes: Sequence[Lane], deadline: float) -> Answer:
        journey = self._journey(lanes, deadline)
        while True:
            attempt = await self._next(journey, chat)
            try:
                return await attempt.complete()
            except LLMError as error:
                self._failed(journey, error)

    async def _ask_in_pieces(
        self, chat: Chat, lanes: Sequence[Lane], deadline: float
    ) -> AsyncGenerator[str | Answer, None]:
        journey = self._journey(lanes, deadline)
        while True:
            attempt, begun = await self._next(journey, chat), False
            try:
                async with aclosing(attempt.stream()) as parts:
                    async for part in parts:
                        begun = True
                        yield part
            except LLMError as error:
                if begun:
                    raise
                self._failed(journey, error)
            else:
                return

    def _journey(self, lanes: Sequence[Lane], deadline: float) -> Journey:
        self._road.retries.earn()
        return Journey(self._road, lanes, deadline)

    async def _next(self, journey: Journey, chat: Chat) -> Attempt:
        try:
            leg = await journey.next()
        except RouteError as error:
            reason = "deadline" if isinstance(error, DeadlineError) else "exhausted"
            telemetry.UNANSWERED.labels(self._agent, reason).inc()
            raise
        return Attempt(self._agent, leg, chat, self._meter)

    def _failed(self, journey: Journey, error: LLMError) -> None:
        journey.failed(error)
        telemetry.FAILOVERS.labels(self._agent, error.provider, error.kind.value).inc()

    async def _fitting(
        self, chat: Chat, answer: Answer, lanes: Sequence[Lane], deadline: float
    ) -> Completion:
        """The answer as data, after one repair if it needs it; both are paid for."""
        try:
            return _completion(structured.parse(chat.schema, answer), answer)
        except structured.MisfitError as misfit:
            again = Chat(
                [*chat.messages, *structured.ask_again(answer, misfit)],
                chat.schema,
                chat.temperature,
                chat.max_tokens,
            )
        second = await self._ask(again, lanes, deadline)
        try:
            output = structured.parse(chat.schema, second)
        except structured.MisfitError as misfit:
            telemetry.REPAIRS.labels(self._agent, "failed").inc()
            raise LLMError(second.provider, f"{misfit}, twice", Kind.INVALID_OUTPUT) from misfit
        telemetry.REPAIRS.labels(self._agent, "mended").inc()
        return _completion(output, answer, second)


def _completion(output: dict[str, object], *answers: Answer) -> Completion:
    """Of the last of the answers, at the price of all of them."""
    last = answers[-1]
    return Completion(
        output=output,
        provider=last.provider,
        model=last.model,
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion_tokens for answer in answers),
    )


def make_router(
    settings: LLMSettings, agent: str, credential: AsyncTokenCredential, meter: Meter | None = None
) -> Router:
    """The router of one agent. Raises SkipError when the settings pass over every provider."""
    return Router(settings, agent, line_up(settings, credential), meter)
