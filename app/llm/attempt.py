"""One attempt at one provider: paid for, timed, traced, and told to the breaker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

from app.dependency import DependencyError
from app.llm import telemetry
from app.llm.chat import Answer, Chat
from app.llm.failures import Kind, LLMError
from app.llm.journey import Leg
from app.llm.metering import Booking, Meter
from app.llm.providers import FilteredError

T = TypeVar("T")

log = logging.getLogger(__name__)


class Attempt:
    """`leg` says whom to ask and how long that may take."""

    def __init__(self, agent: str, leg: Leg, chat: Chat, meter: Meter) -> None:
        self._agent, self._leg, self._chat, self._meter = agent, leg, chat, meter
        self._provider = leg.seat.lane.provider
        self._limit = self._provider.dialect.limit(chat)
        # Seconds that the provider was waited for; a stream also waits for whoever reads it.
        self._waited = 0.0

    async def complete(self) -> Answer:
        """Raises LLMError, OverBudget."""
        async with self._observed() as seen:
            end = asyncio.get_running_loop().time() + self._leg.seconds
            answer = await self._by(end, self._provider.complete(self._chat, self._leg.seconds))
            seen.answered(answer)
        return answer

    async def stream(self) -> AsyncGenerator[str | Answer, None]:
        """As of the provider. Raises LLMError, OverBudget."""
        end = asyncio.get_running_loop().time() + self._leg.seconds
        async with (
            self._observed() as seen,
            aclosing(self._provider.stream(self._chat, self._leg.seconds)) as parts,
        ):
            while True:
                try:
                    part = await self._by(end, anext(parts))
                except StopAsyncIteration:
                    return
                if isinstance(part, Answer):
                    seen.answered(part)
                yield part

    async def _by(self, end: float, call: Awaitable[T]) -> T:
        """What the provider says until then, on the loop's clock."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout_at(end):
                return await call
        except TimeoutError as error:
            message = f"no answer within {self._leg.seconds:.3g} s"
            raise LLMError(self._provider.name, message, Kind.TIMEOUT) from error
        finally:
            self._waited += loop.time() - began

    @asynccontextmanager
    async def _observed(self) -> AsyncIterator[telemetry.Observed]:
        """Settles everything that hangs on the attempt, however it ends."""
        chat, seat = self._chat, self._leg.seat
        with seat:
            booking = await self._meter.reserve(chat.prompt_tokens + self._limit)
            with telemetry.observed(self._agent, self._provider, chat, self._leg.number) as seen:
                try:
                    yield seen
                except LLMError as error:
                    seen.failed(error)
                    # Neither a caller in a hurry nor a slow reader learns anything of the provider.
                    if error.kind is not Kind.TIMEOUT or self._waited >= self._leg.fair:
                        seat.failed(error)
                    await _settle(self._price(booking, error))
                    raise
                except BaseException:
                    # Cancelled; the provider works on, and asks to be paid.
                    if seen.answer is None:
                        await asyncio.shield(_settle(self._whole(booking)))
                    raise
                finally:
                    if seen.answer is not None:
                        seat.succeeded()
                        await asyncio.shield(_settle(_used(booking, seen.answer)))

    def _price(self, booking: Booking, error: LLMError) -> Awaitable[None]:
        if isinstance(error, FilteredError):
            return _used(booking, error.answer)
        return self._whole(booking) if error.may_have_cost else booking.release()

    def _whole(self, booking: Booking) -> Awaitable[None]:
        return booking.commit(self._chat.prompt_tokens, self._limit)


def _used(booking: Booking, answer: Answer) -> Awaitable[None]:
    return booking.commit(answer.prompt_tokens, answer.completion_tokens)


async def _settle(settlement: Awaitable[None]) -> None:
    """An answer is not lost because the ledger is: the reservation holds its tokens until it expires."""
    try:
        await settlement
    except DependencyError as error:
        log.warning("tokens not settled: %s", error)
