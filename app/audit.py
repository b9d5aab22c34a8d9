"""`python -m app.audit`: what the stores hold of some executions, and what the day's ledger says of them.

One JSON object on standard output (`Books`): the executions whose correlation ids begin with a text, what
each owed to others and whether that was settled, who consumed its events, its rows in SQL, and the tokens of
the days. It compares nothing: whoever asks knows what should be there. It reads as the agent in whose pod it
runs, from the databases that the agent uses, wherever a restore has led it.

    kubectl exec -n agents-dev deploy/notification-agent -- python -m app.audit --correlation incident-42

It looks through all documents of a kind, which takes longer the more there are. Exit code 1: something could
not be read, try again; 2: wrong arguments or settings.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError
from sqlalchemy import Engine, Select, select
from sqlalchemy.exc import SQLAlchemyError

from app.credentials import blocking_credential, credential
from app.dependency import DependencyError
from app.events.event import Event
from app.settings import Settings
from app.store.database import make_engine, reason
from app.store.documents import Cosmos, Document, Documents
from app.store.records import input_hash
from app.store.tables import AGENT_EXECUTIONS as TABLE
from app.telemetry import logs

log = logging.getLogger("app.audit")

_OF_TYPE = "SELECT * FROM c WHERE c.type = @type"
_OF_DAY = "SELECT * FROM c WHERE c.day = @day"


class Ran(BaseModel):
    """An execution. `tokens` are prompt's and completion's together; `input` is the hash that SQL has."""

    id: str
    agent: str
    correlation: str
    input: str
    started_at: AwareDatetime
    tokens: int


class Owed(BaseModel):
    """An entry of the outbox. `event` is the key by which consumers know it, `type` what they listen to."""

    id: str
    agent: str
    target: str
    correlation: str
    settled: bool
    event: str | None = None
    type: str | None = None


class Consumed(BaseModel):
    """`agent` has handled the event of this key."""

    agent: str
    event: str


class Caused(BaseModel):
    """An execution that had a cause of which there may be one execution only: an event, or a caller's key."""

    agent: str
    execution: str


class Row(BaseModel):
    """A row of the history of executions; the history has failed runs, too."""

    id: str
    agent: str
    correlation: str
    status: str
    tokens: int


class Day(BaseModel):
    """A UTC day's tokens by agent: what the ledger has, and what the history adds up to."""

    day: date
    committed: dict[str, int]
    history: dict[str, int]


class Books(BaseModel):
    """`consumed` are of all executions: nothing in a marker says which it is of. `letters` are counted that
    have the correlation in their text.
    """

    executions: list[Ran]
    owed: list[Owed]
    consumed: list[Consumed]
    caused: list[Caused]
    letters: int
    rows: list[Row]
    days: list[Day]


class Auditor:
    """`engine` is None where the history is not kept: then no rows, and days without it."""

    def __init__(self, events: Documents, ledger: Documents, engine: Engine | None) -> None:
        self._events, self._ledger, self._engine = events, ledger, engine

    async def read(self, prefix: str, days: Sequence[date]) -> Books:
        """Raises DependencyError (StoreError is one). What is written meanwhile may be in some of it."""
        executions = [
            _ran(one) for one in await self._of("execution") if one["correlationId"].startswith(prefix)
        ]
        known = {one.id for one in executions}
        return Books(
            executions=executions,
            owed=[
                entry
                for one in await self._of("outbox")
                if (entry := _owed(one)).correlation.startswith(prefix)
            ],
            consumed=[
                Consumed(agent=one["agent"], event=str(one["id"]).removeprefix("consumed-"))
                for one in await self._of("consumed")
            ],
            caused=[
                Caused(agent=one["agent"], execution=one["execution"])
                for one in await self._of("once")
                if one["execution"] in known
            ],
            letters=sum(prefix in one["text"] for one in await self._of("letter")),
            rows=await asyncio.to_thread(self._rows, prefix),
            days=[await self._day(day) for day in days],
        )

    async def _of(self, kind: str) -> list[Document]:
        return await self._events.query(_OF_TYPE, None, type=kind)

    async def _day(self, day: date) -> Day:
        accounts = await self._ledger.query(_OF_DAY, day.isoformat(), day=day.isoformat())
        return Day(
            day=day,
            committed={one["agent"]: int(one["committed"]) for one in accounts},
            history=await asyncio.to_thread(self._history, day),
        )

    def _rows(self, prefix: str) -> list[Row]:
        c = TABLE.c
        wanted = select(c.Id, c.Agent, c.CorrelationId, c.Status, c.PromptTokens + c.CompletionTokens).where(
            c.CorrelationId.startswith(prefix, autoescape=True)
        )
        return [
            Row(id=str(name), agent=agent, correlation=correlation, status=status, tokens=tokens)
            for name, agent, correlation, status, tokens in self._select(wanted)
        ]

    def _history(self, day: date) -> dict[str, int]:
        c = TABLE.c
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        of_day = (c.StartedAt >= begin, c.StartedAt < begin + timedelta(days=1))
        found: dict[str, int] = {}
        spent = select(c.Agent, c.PromptTokens + c.CompletionTokens).where(*of_day)
        for agent, tokens in self._select(spent):
            found[agent] = found.get(agent, 0) + tokens
        return found

    def _select(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        if self._engine is None:
            return []
        try:
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(statement)]
        except SQLAlchemyError as error:
            raise DependencyError(reason(error)) from error


def _ran(document: Document) -> Ran:
    usage = document["usage"]
    return Ran(
        id=document["id"],
        agent=document["agent"],
        correlation=document["correlationId"],
        input=input_hash(document["input"]),
        started_at=document["startedAt"],
        tokens=usage["promptTokens"] + usage["completionTokens"],
    )


def _owed(document: Document) -> Owed:
    body = document["body"]
    owed = Owed(
        id=document["id"],
        agent=document["agent"],
        target=document["target"],
        correlation=str(body.get("correlation_id") or body.get("correlationid") or ""),
        settled="settledAt" in document,
    )
    if owed.target != "topic":
        return owed
    event = Event.model_validate(body)
    return owed.model_copy(update={"event": event.key, "type": event.type})


async def _main(settings: Settings, prefix: str, days: Sequence[date]) -> Books:
    identity = credential()
    cosmos = Cosmos(settings.cosmos, identity)
    engine = make_engine(settings.sql, blocking_credential()) if settings.sql else None
    try:
        events = cosmos.documents(settings.cosmos.container)
        return await Auditor(events, cosmos.documents(settings.cosmos.ledger), engine).read(prefix, days)
    finally:
        if engine is not None:
            engine.dispose()
        await cosmos.close()
        await identity.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m app.audit", description="Print what the stores hold of some executions, as JSON."
    )
    parser.add_argument("--correlation", default="", help="what their correlation ids begin with")
    parser.add_argument(
        "--day",
        action="append",
        type=date.fromisoformat,
        help="a UTC day of the ledger, 2026-11-28; repeatable; today unless it is given",
    )
    options = parser.parse_args(arguments)
    logs.configure()
    try:
        # pydantic-settings fills the fields from the environment, which a type checker cannot see.
        settings = Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        log.error("wrong settings: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    try:
        books = asyncio.run(_main(settings, options.correlation, options.day or [datetime.now(UTC).date()]))
    except DependencyError as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - as above
        return 1
    sys.stdout.write(books.model_dump_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
