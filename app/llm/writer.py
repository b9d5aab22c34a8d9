"""One process's way to the ledger: whatever is asked meanwhile goes into the next write, one at a time.

So a process has one write in flight however many calls it makes, and processes rarely meet. When they do, the
ETag of one is stale: it reads again and tries again after a moment of its own.

A write whose answer was lost may have been done. Each write leaves its number in the agent's account, so the
next reading tells; nothing is counted twice, and nothing is forgotten while this process lives.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime

from app.background import backoff
from app.llm.orders import Order, Outcome, Refusal, Reserve, Settle, apply
from app.store.errors import StaleError, StoreError
from app.store.ledger import Ledger, Sheet

log = logging.getLogger(__name__)

# Between two attempts: about a round trip after a conflict, longer and longer while Cosmos DB is away.
_CONFLICT_SECONDS, _MOST_CONFLICT_SECONDS = 0.01, 0.5
_FAILURE_SECONDS, _MOST_FAILURE_SECONDS = 0.2, 10.0

Observer = Callable[[Sheet], None]


class LedgerWriter:
    """`limits` by scope; the first scope's account keeps the numbers of this process's writes.

    `observe` is shown every sheet as the ledger has it.
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Mapping[str, int],
        observe: Observer,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger, self._limits, self._observe, self._clock = ledger, limits, observe, clock
        self._first = next(iter(limits))
        self._writer = uuid.uuid4().hex[:16]
        self._number = 0
        self._orders: list[Order] = []
        self._sheet: Sheet | None = None
        #: By number: writes that may or may not have been done.
        self._attempts: dict[int, Outcome] = {}
        self._asked = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, order: Order) -> None:
        self._orders.append(order)
        self._empty.clear()
        self._asked.set()

    async def drained(self) -> None:
        """Until nothing is left to write."""
        await self._empty.wait()

    async def step(self) -> None:
        """Wait for orders and write them."""
        if not self._orders:
            await self._asked.wait()
        self._asked.clear()
        while self._orders:
            await self._write(self._orders[0].day)
        self._empty.set()

    async def _write(self, day: date) -> None:
        """Write the orders of one day, as often as it takes: callers give up by themselves."""
        conflicts = failures = 0
        while any(order.day == day for order in self._orders):
            try:
                await self._attempt(day)
            except StaleError:
                self._sheet, conflicts = None, conflicts + 1
                await asyncio.sleep(backoff(conflicts, _CONFLICT_SECONDS, _MOST_CONFLICT_SECONDS))
            except StoreError as error:
                self._sheet, failures = None, failures + 1
                log.warning("the token ledger does not answer (attempt %d): %s", failures, error)
                await asyncio.sleep(backoff(failures, _FAILURE_SECONDS, _MOST_FAILURE_SECONDS))
        # The numbers of one day mean nothing in another.
        self._attempts.clear()

    async def _attempt(self, day: date) -> None:
        """One write of all orders of the day. Raises StaleError and StoreError."""
        known = self._sheet is not None and self._sheet.day == day
        sheet = copy.deepcopy(self._sheet) if known and self._sheet else await self._read(day)
        outcome = self._apply(sheet)
        if outcome.refused and known:
            # Somebody may have given tokens back since it was read.
            sheet = await self._read(day)
            outcome = self._apply(sheet)
        if outcome.changed:
            self._number += 1
            sheet.accounts[self._first].writers[self._writer] = self._number
            self._attempts[self._number] = outcome
            await self._ledger.save(sheet)
        self._sheet = sheet
        self._resolve(outcome)
        self._attempts.clear()
        self._observe(sheet)

    async def _read(self, day: date) -> Sheet:
        """The ledger as it is; an earlier write that is found in it is done with."""
        sheet = await self._ledger.load(day, tuple(self._limits))
        done = self._attempts.get(sheet.accounts[self._first].writers.get(self._writer, 0))
        if done is not None:
            self._attempts.clear()
            self._resolve(done)
        return sheet

    def _apply(self, sheet: Sheet) -> Outcome:
        orders = [order for order in self._orders if order.day == sheet.day]
        return apply(orders, sheet.accounts, self._limits, self._clock().timestamp())

    def _resolve(self, outcome: Outcome) -> None:
        """Answer those who asked, and forget their orders."""
        done: set[Order] = {*outcome.settled, *outcome.granted, *(order for order, _ in outcome.refused)}
        self._orders = [order for order in self._orders if order not in done and not _abandoned(order)]
        for order, refusal in [*((order, None) for order in outcome.granted), *outcome.refused]:
            self._answer(order, refusal)

    def _answer(self, order: Reserve, refusal: Refusal | None) -> None:
        if not order.answer.done():
            order.answer.set_result(refusal)
        elif refusal is None:
            # Granted to nobody: who asked has given up.
            self.put(Settle(order.name, order.day, 0))


def _abandoned(order: Order) -> bool:
    return isinstance(order, Reserve) and order.answer.cancelled()
