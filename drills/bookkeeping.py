"""The environment's books, read until they balance: what was under way goes on for a while by itself."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from app.audit import Books
from drills import balance
from drills.cut import Cut, is_under_way
from drills.drill import Outcome, Scene
from drills.journal import Sentinel
from drills.report import Check
from infra.workload.prompts import listens, read_prompts

#: Seconds until the books must balance. What a pod left in its outbox is taken up a minute later, looked for
#: every half minute, and then others act upon it, whose own may be left likewise.
_PATIENCE, _PAUSE = 240.0, 3.0


def settled(scene: Scene, due: Sequence[Sentinel], outcome: Outcome | None = None) -> list[Check]:
    """The checks that hold, or those that do not within some minutes. Raises CommandError."""
    told = listeners(scene)
    cuts = [] if outcome is None else _cuts(outcome)
    before, rows = scene.before, None
    if outcome is not None:
        before, rows = outcome.baseline or scene.before, outcome.rows_lost
    excused = frozenset() if rows is None else rows.of(scene.writers.sentinels)
    deadline = time.monotonic() + _PATIENCE
    while True:
        books = scene.books()
        tolerated = slack(books, scene.writers.sentinels, cuts)
        checks = checked(before, books, due, told, tolerated, excused=excused)
        if rows is not None:
            checks.append(rows.said(len(excused)))
        if not any(one.problems for one in checks) or time.monotonic() > deadline:
            return checks
        time.sleep(_PAUSE)


def checked(
    before: Books,
    after: Books,
    due: Sequence[Sentinel],
    told: balance.Listeners,
    tolerated: int,
    *,
    excused: Collection[str] = (),
) -> list[Check]:
    """Each invariant with what it looked at. `excused`: see `balance.history` and `balance.ledger`."""
    ran = f"{len(after.executions)} executions"
    published = sum(one.event is not None for one in after.owed)
    within = f", {tolerated} tokens were under way" if tolerated else ""
    return [
        Check(name="each ran once", looked_at=ran, problems=balance.executions(after, due)),
        Check(
            name="events are published and consumed",
            looked_at=f"{published} events",
            problems=balance.events(after, told),
        ),
        Check(
            name="nothing is put aside",
            looked_at=f"{after.letters} letters",
            problems=balance.letters(before, after),
        ),
        Check(name="history", looked_at=f"{len(after.rows)} rows", problems=balance.history(after, excused)),
        Check(
            name="token ledger",
            looked_at=f"{len(after.days)} days{within}",
            problems=balance.ledger(before, after, tolerated, excused),
        ),
    ]


def slack(books: Books, sentinels: Sequence[Sentinel], cuts: Sequence[Cut]) -> int:
    """Tokens of the calls that were under way at one of the cuts: their own, or the dearest's."""
    dearest = max((one.tokens for one in books.executions), default=0)
    spent = {one.id: one.tokens for one in books.executions}
    return sum(
        spent.get(one.id, dearest) if one.answer else dearest
        for one in sentinels
        if any(is_under_way(one, cut) for cut in cuts)
    )


def _cuts(outcome: Outcome) -> list[Cut]:
    return [(outcome.failed, outcome.failed) if outcome.restored is None else outcome.restored.cut]


def listeners(scene: Scene) -> dict[str, list[str]]:
    """By event type, of the agents that the stack has."""
    found: dict[str, list[str]] = {}
    for agent in scene.stack.agents():
        for kind in listens(read_prompts(agent)):
            found.setdefault(kind, []).append(agent)
    return found
