"""Books that balance are taken for that, and each way not to is seen by its own check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.audit import Books, Caused, Consumed, Row
from drills import balance
from drills.bookkeeping import checked, slack
from tests.drills.examples import LISTENERS, at, books, empty, ran, sentinel

DUE = [sentinel(1, 1, 2, "servicedesk")]


def failing(found: Books, tolerated: int = 0) -> dict[str, list[str]]:
    checks = checked(empty(), found, DUE, LISTENERS, tolerated)
    assert len(checks) == 5
    return {one.name: one.problems for one in checks if one.problems}


def test_nothing_is_wrong_with_books_that_balance() -> None:
    assert failing(books()) == {}


def _drop_execution(found: Books) -> None:
    del found.executions[0], found.rows[0], found.caused[0]


def _run_twice(found: Books) -> None:
    """As if an event had been acted upon twice."""
    again = ran("e-4", "devops", 200, input="hash of e-2")
    found.executions.append(again)
    found.rows.append(Row(id="e-4", agent="devops", correlation="drill-1", status="succeeded", tokens=200))
    found.caused.append(Caused(agent="devops", execution="e-4"))


def _drop_cause(found: Books) -> None:
    del found.caused[1]


def _never_consume(found: Books) -> None:
    found.consumed.pop()


def _consume_twice(found: Books) -> None:
    found.consumed.append(Consumed(agent="devops", event="k"))


def _owe(found: Books) -> None:
    found.owed[0].settled = False


def _bury(found: Books) -> None:
    found.letters = 1


def _drop_row(found: Books) -> None:
    del found.rows[1]


def _alter_row(found: Books) -> None:
    found.rows[1].tokens = 0


def _fail_row(found: Books) -> None:
    found.rows[1].status = "failed"


def _stray_row(found: Books) -> None:
    found.rows.append(found.rows[0].model_copy(update={"id": "e-9"}))


def _miscount(found: Books) -> None:
    found.days[0].committed["devops"] += 1


def _miscount_total(found: Books) -> None:
    found.days[0].committed["total"] -= 1


@pytest.mark.parametrize(
    ("damage", "seen_by", "said"),
    [
        (_drop_execution, "each ran once", "sentinel 1 has no execution e-1"),
        (_run_twice, "each ran once", "devops ran 2 times on one input of drill-1"),
        (_drop_cause, "each ran once", "execution e-2 of devops has 0 markers of its cause instead of one"),
        (_never_consume, "events are published and consumed", "notification consumed"),
        (_consume_twice, "events are published and consumed", "devops consumed"),
        (_owe, "events are published and consumed", "outbox-topic-k of servicedesk is still owed"),
        (_bury, "nothing is put aside", "1 messages were put aside"),
        (_drop_row, "history", "execution e-2 of devops took 200 tokens; rows say []"),
        (_alter_row, "history", "execution e-2 of devops took 200 tokens; rows say [0]"),
        (_fail_row, "history", "execution e-2 of devops took 200 tokens; rows say []"),
        (_stray_row, "history", "row e-9 has no execution"),
        (_miscount, "token ledger", "the ledger of devops moved by +1 tokens against the history"),
        (_miscount_total, "token ledger", "the ledger of total moved by -1 tokens against the history"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_defect_is_seen(damage: Callable[[Books], None], seen_by: str, said: str) -> None:
    found = books()
    damage(found)
    (problem, *_) = failing(found)[seen_by]
    assert problem.startswith(said)


def test_the_ledger_is_held_to_what_it_was_before() -> None:
    before, after = empty(), books()
    before.days[0].committed["devops"] = 7
    assert balance.ledger(before, after) == ["the ledger of devops moved by -7 tokens against the history"]
    after.days[0].committed["devops"] += 7
    assert balance.ledger(before, after) == []


def test_what_was_under_way_is_tolerated_and_no_token_more() -> None:
    found = books()
    found.days[0].committed["devops"] += 100
    assert failing(found, tolerated=100) == {}
    assert list(failing(found, tolerated=99)) == ["token ledger"]


@pytest.mark.parametrize(
    ("sent", "acknowledged", "tokens"),
    [(1, 2, 0), (9, 9.5, 100), (9, 12, 100), (11, 12, 100), (11.5, 12, 0), (2, None, 300), (12, None, 0)],
)
def test_under_way_is_what_may_have_been_cut_off(
    sent: float, acknowledged: float | None, tokens: int
) -> None:
    """Its own tokens, or those of the dearest execution where nobody knows."""
    assert slack(books(), [sentinel(1, sent, acknowledged)], [(at(10), at(10))]) == tokens


def test_tokens_of_a_lost_row_are_in_the_ledger_all_the_same() -> None:
    """A history from a backup: the ledger has what its rows would have said, to the token."""
    found = books()
    del found.rows[1]
    found.days[0].history["devops"] = 0
    assert len(balance.ledger(empty(), found)) == len(["devops", "total"])
    assert balance.ledger(empty(), found, excused={"drill-1"}) == []
    found.days[0].committed["devops"] += 1
    assert len(balance.ledger(empty(), found, excused={"drill-1"})) == 1


def test_what_was_lost_before_the_baseline_counts_once() -> None:
    found = books()
    del found.rows[1]
    found.days[0].history["devops"] = 0
    assert balance.ledger(found, found.model_copy(deep=True), excused={"drill-1"}) == []
