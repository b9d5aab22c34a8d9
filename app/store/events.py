"""Executions and what follows from them, in one transaction of Cosmos DB."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.events.event import Event
from app.store.documents import BATCH, Cosmos, Create, Documents
from app.store.errors import ConflictError, StoreError
from app.store.executions import Execution
from app.store.outbox import Entry, Target
from app.store.records import Record

_PROBE = "health-probe"
_LIST = "SELECT * FROM c WHERE c.type = 'execution' ORDER BY c.startedAt DESC"
#: The execution, its marker and its record take three operations of the transaction.
MOST_EVENTS = BATCH - 3

Entries = list[Entry]
Subscriber = Callable[[Sequence[Entry]], None]


@dataclass(frozen=True)
class Recorded:
    """`fresh` is False when `once` was seen before: `execution` then is the one of that time."""

    execution: Execution
    fresh: bool


@dataclass(frozen=True)
class Page:
    """`after` leads to the next page; None after the last."""

    executions: list[Execution]
    after: str | None


class EventStore:
    """Executions of agents, each with its outbox entries and its idempotency marker in one partition.

    With `recorded`, an entry for the SQL table of executions is written with each. Subscribers hear of new
    entries as soon as they are durable. `account` is closed with the store.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        recorded: bool = False,
        account: Cosmos | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._documents, self._recorded, self._account, self._clock = documents, recorded, account, clock
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    async def record(
        self, execution: Execution, events: Sequence[Event] = (), once: str | None = None
    ) -> Recorded:
        """All or nothing; durable when it returns. Raises StoreError.

        `once` names the cause (an event, a request's idempotency key): of all executions of one cause only
        the first is kept, and later ones are answered with it.
        """
        if len(events) > MOST_EVENTS:
            raise ValueError(
                f"{len(events)} events in one execution; at most {MOST_EVENTS} fit a transaction"
            )
        entries = self._entries(execution, events)
        document = {**execution.model_dump(mode="json", by_alias=True), "type": "execution"}
        operations = [Create(document), *(Create(entry.pending()) for entry in entries)]
        if once is not None:
            marker = {
                "id": _marker(once),
                "agent": execution.agent,
                "type": "once",
                "execution": execution.id,
            }
            operations.append(Create(marker))
        try:
            await self._documents.batch(execution.agent, operations)
        except ConflictError:
            found = await self._before(execution, once)
            if found.id != execution.id:
                return Recorded(found, fresh=False)
            # Ours: an attempt whose answer was lost did write it.
        self._tell(entries)
        return Recorded(execution, fresh=True)

    async def record_failure(self, record: Record) -> None:
        """Keep that a run failed, for the SQL table only. Raises StoreError."""
        if not self._recorded:
            return
        entry = self._entry(record.agent, "sql", str(record.id), record.model_dump(mode="json"))
        await self._documents.upsert(entry.pending())
        self._tell([entry])

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        """The execution, or None. Raises StoreError."""
        document = await self._documents.read(agent, execution_id)
        return None if document is None else Execution.model_validate(document)

    async def find_once(self, agent: str, once: str) -> Execution | None:
        """The execution of a cause, or None: asked before a model is. Raises StoreError."""
        marker = await self._documents.read(agent, _marker(once))
        return None if marker is None else await self.find(agent, marker["execution"])

    async def list(self, agent: str, limit: int, after: str | None = None) -> Page:
        """Newest first. Raises StoreError, and ContinuationError for an `after` that is none."""
        rows, following = await self._documents.page(_LIST, agent, limit, after)
        return Page([Execution.model_validate(row) for row in rows], following)

    async def check(self, agent: str) -> None:
        """Read as this identity (the document need not exist). Raises StoreError."""
        await self._documents.read(agent, _PROBE)

    async def close(self) -> None:
        if self._account:
            await self._account.close()

    async def _before(self, execution: Execution, once: str | None) -> Execution:
        found = await self.find_once(execution.agent, once) if once is not None else None
        found = found or await self.find(execution.agent, execution.id)
        if found is None:
            raise StoreError(f"execution {execution.id} conflicts with something that is not there", 409)
        return found

    def _entries(self, execution: Execution, events: Sequence[Event]) -> Entries:
        entries = [self._entry(execution.agent, "topic", event.key, event.sent()) for event in events]
        if self._recorded:
            row = Record.succeeded(execution)
            entries.append(self._entry(execution.agent, "sql", execution.id, row.model_dump(mode="json")))
        return entries

    def _entry(self, agent: str, target: Target, name: str, body: dict[str, object]) -> Entry:
        return Entry(f"outbox-{target}-{name}", agent, target, body, self._clock())

    def _tell(self, entries: Sequence[Entry]) -> None:
        for subscriber in self._subscribers:
            subscriber(entries)


def _marker(once: str) -> str:
    """An id takes neither every character nor every length."""
    return f"once-{hashlib.sha256(once.encode()).hexdigest()}"
