"""Whether the books balance: executions with events, with their consumers, with the history and the ledger.

Each function returns what is wrong, in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from app.audit import Books
from drills.journal import Sentinel

#: Event type -> agents that listen to it.
Listeners = Mapping[str, Sequence[str]]


def executions(books: Books, due: Iterable[Sentinel]) -> list[str]:
    """Every sentinel that must be there is an execution, and everything ran once."""
    known = {one.id for one in books.executions}
    missing = [f"sentinel {one.number} has no execution {one.id}" for one in due if one.id not in known]
    ran = Counter((one.agent, one.correlation, one.input) for one in books.executions)
    twice = [
        f"{agent} ran {count} times on one input of {correlation}"
        for (agent, correlation, _), count in ran.items()
        if count > 1
    ]
    causes = Counter(one.execution for one in books.caused)
    markers = [
        f"execution {one.id} of {one.agent} has {causes[one.id]} markers of its cause instead of one"
        for one in books.executions
        if causes[one.id] != 1
    ]
    return missing + twice + markers


def events(books: Books, listeners: Listeners) -> list[str]:
    """Every event was published, and consumed by each agent that listens to it."""
    consumed = Counter((one.agent, one.event) for one in books.consumed)
    wrong = [f"{one.id} of {one.agent} is still owed" for one in books.owed if not one.settled]
    for one in books.owed:
        if one.event is None:
            continue
        wrong += [
            f"{agent} consumed {one.type} of {one.correlation} {times} times"
            for agent in listeners.get(one.type or "", ())
            if (times := consumed[agent, one.event]) != 1
        ]
    return wrong


def letters(before: Books, after: Books) -> list[str]:
    """Nothing was put aside meanwhile."""
    more = after.letters - before.letters
    return [f"{more} messages were put aside"] if more > 0 else []


def history(books: Books, excused: Collection[str] = ()) -> list[str]:
    """Every execution has its row in SQL, with its tokens, and every row of a success its execution.

    Of the `excused` correlations one may be without the other; where there are both, they must agree.
    """
    rows: dict[str, list[int]] = {}
    for row in books.rows:
        if row.status == "succeeded":
            rows.setdefault(row.id, []).append(row.tokens)
    wrong = [
        f"execution {one.id} of {one.agent} took {one.tokens} tokens; rows say {rows.get(one.id, [])}"
        for one in books.executions
        if rows.get(one.id) != [one.tokens] and not (one.correlation in excused and one.id not in rows)
    ]
    known = {one.id for one in books.executions}
    strays = {one.id for one in books.rows if one.id in rows and one.correlation not in excused} - known
    return wrong + [f"row {name} has no execution" for name in rows if name in strays]


def ledger(before: Books, after: Books, slack: int = 0, excused: Collection[str] = ()) -> list[str]:
    """The ledger moved by what the history did, agent by agent and in total.

    Executions of the `excused` correlations count where the history lacks their rows.
    `slack`: tokens of what was under way when something broke. A call may then be counted without its
    execution, or an execution be stored whose call was not counted yet.
    """
    was, is_now = _open(before, excused), _open(after, excused)
    return [
        f"the ledger of {scope} moved by {moved:+} tokens against the history"
        for scope in sorted(was.keys() | is_now.keys())
        if abs(moved := is_now.get(scope, 0) - was.get(scope, 0)) > slack
    ]


def _open(books: Books, excused: Collection[str]) -> dict[str, int]:
    """What the ledger has more than history and excused executions, by agent and `total`, over all days."""
    found: Counter[str] = Counter()
    for day in books.days:
        found.update(day.committed)
        found.subtract(day.history)
        found["total"] -= sum(day.history.values())
    rows = {one.id for one in books.rows}
    for one in books.executions:
        if one.correlation in excused and one.id not in rows:
            found.subtract({one.agent: one.tokens, "total": one.tokens})
    return dict(found)
