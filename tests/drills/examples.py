"""A drill's world in small: sentinels of an incident and a message, and books that balance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from app.audit import Books, Caused, Consumed, Day, Owed, Ran, Row
from drills.journal import Sentinel

START = datetime(2026, 11, 28, 10, 0, 0, tzinfo=UTC)
TRIAGED = "agents.servicedesk.incident.triaged"
LISTENERS = {TRIAGED: ["devops", "notification"]}
TODAY = date(2026, 11, 28)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sentinel(number: int, sent: float, acknowledged: float | None, agent: str = "notification") -> Sentinel:
    answer = {"id": f"e-{number}", "output": {"body": f"text {number}"}}
    return Sentinel(
        number=number,
        agent=agent,
        correlation=f"drill-{number}",
        input={"message": f"Sentinel {number}"},
        sent=at(sent),
        acknowledged=None if acknowledged is None else at(acknowledged),
        answer=None if acknowledged is None else answer,
    )


def ran(name: str, agent: str, tokens: int = 100, **changes: str) -> Ran:
    given = {"correlation": "drill-1", "input": f"hash of {name}", **changes}
    return Ran(id=name, agent=agent, started_at=START, tokens=tokens, **given)


def books() -> Books:
    """An incident that two agents acted upon."""
    executions = [ran("e-1", "servicedesk"), ran("e-2", "devops", 200), ran("e-3", "notification", 300)]
    return Books(
        executions=executions,
        owed=[
            Owed(
                id="outbox-topic-k",
                agent="servicedesk",
                target="topic",
                correlation="drill-1",
                settled=True,
                event="k",
                type=TRIAGED,
            ),
            *(
                Owed(
                    id=f"outbox-sql-{one.id}",
                    agent=one.agent,
                    target="sql",
                    correlation="drill-1",
                    settled=True,
                )
                for one in executions
            ),
        ],
        consumed=[Consumed(agent=agent, event="k") for agent in LISTENERS[TRIAGED]],
        caused=[Caused(agent=one.agent, execution=one.id) for one in executions],
        letters=0,
        rows=[
            Row(id=one.id, agent=one.agent, correlation="drill-1", status="succeeded", tokens=one.tokens)
            for one in executions
        ],
        days=[
            Day(
                day=TODAY,
                committed={"servicedesk": 100, "devops": 200, "notification": 300, "total": 600},
                history={"servicedesk": 100, "devops": 200, "notification": 300},
            )
        ],
    )


def empty() -> Books:
    return Books(
        executions=[],
        owed=[],
        consumed=[],
        caused=[],
        letters=0,
        rows=[],
        days=[Day(day=TODAY, committed={}, history={})],
    )
