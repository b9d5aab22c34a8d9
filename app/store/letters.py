"""Letters: messages and events that could not be processed, kept with the reason until they are replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.store.documents import Document, Documents
from app.store.errors import ConflictError
from app.store.outbox import stamp

# A year: longer than anything else here, for somebody has to look at them.
_KEPT_SECONDS = 365 * 24 * 3600
_ALL = "SELECT * FROM c WHERE c.type = 'letter'"


@dataclass(frozen=True)
class Letter:
    """`text` is the message as it came, which need not be an event; `id` is the same at every burial."""

    id: str
    agent: str
    reason: str
    text: str
    buried_at: datetime

    def document(self) -> Document:
        return {
            "id": self.id,
            "agent": self.agent,
            "type": "letter",
            "reason": self.reason,
            "text": self.text,
            "buriedAt": stamp(self.buried_at),
            "ttl": _KEPT_SECONDS,
        }


class Letters:
    """Those of every agent; an agent writes its own."""

    def __init__(
        self, documents: Documents, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._documents, self._clock = documents, clock

    async def bury(self, agent: str, name: str, text: str, reason: str) -> None:
        """Durable when it returns; burying `name` again writes it over. Raises StoreError."""
        letter = Letter(f"letter-{digest(name)}", agent, reason, text, self._clock())
        await self._documents.upsert(letter.document())

    async def all(self, agent: str | None = None) -> list[Letter]:
        """Oldest first. Raises StoreError."""
        found = [
            Letter(
                id=one["id"],
                agent=one["agent"],
                reason=one["reason"],
                text=one["text"],
                buried_at=datetime.fromisoformat(one["buriedAt"]),
            )
            for one in await self._documents.query(_ALL, agent)
        ]
        return sorted(found, key=lambda letter: letter.buried_at)

    async def replayed(self, agent: str, name: str) -> bool:
        """Whether `name` was published again. Raises StoreError."""
        return await self._documents.read(agent, _replayed(name)) is not None

    async def mark_replayed(self, agent: str, name: str) -> None:
        """Raises StoreError."""
        marker = {
            "id": _replayed(name),
            "agent": agent,
            "type": "replayed",
            "replayedAt": stamp(self._clock()),
            "ttl": _KEPT_SECONDS,
        }
        try:
            await self._documents.create(marker)
        except ConflictError:
            return  # Somebody else replayed it just now: what is published twice is consumed once.


def _replayed(name: str) -> str:
    return f"replayed-{digest(name)}"


def digest(name: str) -> str:
    """An id takes neither every character nor every length."""
    return hashlib.sha256(name.encode()).hexdigest()
