"""What is asked of the ledger: tokens to be reserved, and reservations to be settled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.store.account import Account, Reservation


@dataclass(frozen=True)
class Refusal:
    """`scope` has no room: of `limit` tokens, `used` are committed or reserved."""

    scope: str
    limit: int
    used: int


@dataclass(frozen=True, eq=False)
class Reserve:
    """`answer` is None when granted. Cancelled by who no longer waits for it."""

    name: str
    day: date
    tokens: int
    expires: float
    answer: asyncio.Future[Refusal | None] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Settle:
    """`tokens` that the reservation's holder used; none to give it back."""

    name: str
    day: date
    tokens: int


Order = Reserve | Settle


@dataclass
class Outcome:
    """What one write would do: `settled` and `granted` orders change accounts, `refused` ones nothing."""

    changed: bool
    settled: list[Settle] = field(default_factory=list)
    granted: list[Reserve] = field(default_factory=list)
    refused: list[tuple[Reserve, Refusal]] = field(default_factory=list)


def apply(
    orders: Iterable[Order], accounts: Mapping[str, Account], limits: Mapping[str, int], now: float
) -> Outcome:
    """Do the orders on the accounts, one for each scope of `limits`. What is given back comes first."""
    wanted = list(orders)
    swept = [account.sweep(now) for account in accounts.values()]
    outcome = Outcome(changed=any(swept))
    for order in wanted:
        if isinstance(order, Settle):
            held = any(order.name in account.reservations for account in accounts.values())
            outcome.changed |= held or order.tokens > 0
            for account in accounts.values():
                account.settle(order.name, order.tokens)
            outcome.settled.append(order)
    for order in wanted:
        if isinstance(order, Reserve) and not order.answer.cancelled():
            _reserve(order, accounts, limits, outcome)
    return outcome


def _reserve(
    order: Reserve, accounts: Mapping[str, Account], limits: Mapping[str, int], outcome: Outcome
) -> None:
    for scope, limit in limits.items():
        account = accounts[scope]
        if not account.fits(order.tokens, limit):
            outcome.refused.append((order, Refusal(scope, limit, account.used)))
            return
    for account in accounts.values():
        account.reservations[order.name] = Reservation(order.tokens, order.expires)
    outcome.granted.append(order)
    outcome.changed = True
