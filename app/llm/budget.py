"""The token budget of an agent and of all together, per UTC day, kept in the ledger that all pods share."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

from prometheus_client import Gauge

from app.background import keep
from app.llm.metering import OverBudget
from app.llm.orders import Refusal, Reserve, Settle
from app.llm.writer import LedgerWriter
from app.settings import TokenBudgetSettings
from app.store.account import day_of, end_of
from app.store.errors import StoreError
from app.store.ledger import Ledger, Sheet
from app.telemetry.metrics import TOKENS_LIMIT, TOKENS_USED

log = logging.getLogger(__name__)

#: The scope of all agents together.
TOTAL = "total"
RESERVED = Gauge("llm_budget_reserved_tokens", "Tokens that calls in flight may use.", ["agent"])

# How long a caller waits for the ledger; a call to a model takes longer.
_ANSWER_SECONDS = 10.0
# A pod without calls still shows what the others used, and midnight.
_LOOK_SECONDS = 30.0
# What is left to settle when the process ends.
_CLOSE_SECONDS = 10.0


@dataclass(frozen=True)
class Standing:
    """What an agent has used of a day's tokens, as last seen in the ledger."""

    used: int
    limit: int
    resets_at: datetime


class Budget:
    """The meter of one process; use it as a context. Without the ledger nothing is granted.

    A reservation that is not settled (its pod died) is given back when it expires. What was used is counted
    to the day on which it was reserved, also when that comes after the reservation's end.
    """

    def __init__(
        self,
        settings: TokenBudgetSettings,
        agent: str,
        ledger: Ledger,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if agent == TOTAL:
            raise ValueError(f"an agent cannot be called {TOTAL}: that is the budget of all agents together")
        self._agent, self._limits = agent, {agent: settings.daily}
        if settings.total is not None:
            self._limits[TOTAL] = settings.total
        self._seconds, self._ledger, self._clock = settings.reservation_seconds, ledger, clock
        self._writer = LedgerWriter(ledger, self._limits, self._show, clock)
        self._committed: tuple[date, dict[str, int]] = (day_of(clock()), {})
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(keep("writing the token ledger", self._writer.step)),
            asyncio.create_task(keep("reading the token ledger", self._look)),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Settle what is left."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.drained()
        except TimeoutError:
            log.warning("the token ledger was not reached: reservations are left to expire")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def reserve(self, tokens: int) -> Reserved:
        """Put tokens aside for one call. Raises OverBudget, or StoreError when the ledger does not answer."""
        now = self._clock()
        day = day_of(now)
        self._refuse_if_used_up(day, tokens)
        answer: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        order = Reserve(uuid.uuid4().hex, day, tokens, now.timestamp() + self._seconds, answer)
        self._writer.put(order)
        refusal = await self._answer(order)
        if refusal is not None:
            raise OverBudget(refusal.scope, refusal.limit, refusal.used, end_of(day))
        return Reserved(self._writer, order)

    def standing(self) -> Standing:
        """The agent's own, without asking: at most half a minute old."""
        today = day_of(self._clock())
        seen, committed = self._committed
        used = committed.get(self._agent, 0) if seen == today else 0
        return Standing(used, self._limits[self._agent], end_of(today))

    async def _answer(self, order: Reserve) -> Refusal | None:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await order.answer
        except TimeoutError as error:
            self._give_back(order)
            raise StoreError(f"the token ledger did not answer within {_ANSWER_SECONDS:.0f} s") from error
        except asyncio.CancelledError:
            self._give_back(order)
            raise

    def _give_back(self, order: Reserve) -> None:
        """What was granted in the moment in which the caller gave up."""
        if order.answer.done() and not order.answer.cancelled() and order.answer.result() is None:
            self._writer.put(Settle(order.name, order.day, 0))

    def _refuse_if_used_up(self, day: date, tokens: int) -> None:
        """Committed tokens only grow, so what was seen last suffices to say no without asking again."""
        seen, committed = self._committed
        for scope, limit in self._limits.items():
            used = committed.get(scope, 0) if seen == day else 0
            if used + tokens > limit:
                raise OverBudget(scope, limit, used, end_of(day))

    def _show(self, sheet: Sheet) -> None:
        if sheet.day < self._committed[0]:
            return  # A call of yesterday that ended today.
        self._committed = sheet.day, {scope: one.committed for scope, one in sheet.accounts.items()}
        for scope, account in sheet.accounts.items():
            TOKENS_USED.labels(scope).set(account.committed)
            RESERVED.labels(scope).set(account.reserved)
            TOKENS_LIMIT.labels(scope).set(self._limits[scope])

    async def _look(self) -> None:
        try:
            self._show(await self._ledger.load(day_of(self._clock()), tuple(self._limits)))
        except StoreError as error:
            log.warning("the token ledger cannot be read: %s", error)
        await asyncio.sleep(_LOOK_SECONDS)


class Reserved:
    """Tokens put aside for one call; the first settlement counts.

    It is written in the background: no answer waits for it.
    """

    def __init__(self, writer: LedgerWriter, order: Reserve) -> None:
        self._writer, self._order, self._open = writer, order, True

    async def commit(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count what was used, and give back the rest."""
        self._settle(prompt_tokens + completion_tokens)

    async def release(self) -> None:
        """Give back all of it."""
        self._settle(0)

    def _settle(self, tokens: int) -> None:
        if self._open:
            self._open = False
            self._writer.put(Settle(self._order.name, self._order.day, tokens))
