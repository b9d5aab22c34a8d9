"""The outbox: what an execution still owes to others, written with it and settled when it is delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from app.store.documents import BATCH, Document, Documents, Upsert

#: Where an entry goes: the topic of events, or the SQL table of executions.
Target = Literal["topic", "sql"]

_TYPE = "outbox"
# Settled entries are of use to a person for a while; agents may delete nothing, so they expire.
_SETTLED_SECONDS = 24 * 3600
# Only pending entries have the property, so the index that finds them holds nothing else.
_PENDING = "SELECT * FROM c WHERE c.pendingSince < @before AND c.target = @target ORDER BY c.pendingSince"

_SETTLED = "SELECT * FROM c WHERE c.type = 'outbox' AND c.target = @target AND c.settledAt >= @since"


@dataclass(frozen=True)
class Entry:
    """`body` is what to deliver: an event, or a row. `pending_since` is when it was written."""

    id: str
    agent: str
    target: Target
    body: dict[str, Any]
    pending_since: datetime

    def pending(self) -> Document:
        """Lives until it is settled."""
        return {**self._document(), "pendingSince": stamp(self.pending_since), "ttl": -1}

    def settled(self, now: datetime) -> Document:
        return {**self._document(), "settledAt": stamp(now), "ttl": _SETTLED_SECONDS}

    def _document(self) -> Document:
        return {
            "id": self.id,
            "agent": self.agent,
            "type": _TYPE,
            "target": self.target,
            "body": self.body,
        }


class Outbox:
    """Finds and settles the entries of one agent; those that are settled can be found for a day."""

    def __init__(self, documents: Documents, agent: str) -> None:
        self._documents, self._agent = documents, agent

    async def pending(self, target: Target, before: datetime, most: int = BATCH) -> list[Entry]:
        """The oldest that were written before a time and are not settled. Raises StoreError."""
        found = await self._documents.query(_PENDING, self._agent, most, target=target, before=stamp(before))
        return [
            Entry(
                id=one["id"],
                agent=one["agent"],
                target=one["target"],
                body=one["body"],
                pending_since=datetime.fromisoformat(one["pendingSince"]),
            )
            for one in found
        ]

    async def settle(self, entries: Sequence[Entry], now: datetime) -> None:
        """At most `BATCH` at once; settling again changes nothing. Raises StoreError."""
        # Written over, whatever is there: who else delivered them settles them alike.
        await self._documents.batch(self._agent, [Upsert(entry.settled(now)) for entry in entries])

    async def settled(
        self, target: Target, since: datetime, after: str | None = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """A page of what was delivered since then, and what leads to the next one. Raises StoreError."""
        found, following = await self._documents.page(
            _SETTLED, self._agent, BATCH, after, target=target, since=stamp(since)
        )
        return [one["body"] for one in found], following


def stamp(time: datetime) -> str:
    """Times of documents are compared as texts, so they all are in UTC and of one length."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
