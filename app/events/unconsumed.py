"""Published events that nobody has acted upon: what was on its way when a region was lost.

The outbox keeps what it published for a day, and whoever consumes an event leaves a marker. What lies between
them, the topic and the queues, is not copied to another region; what is published again from the outbox makes
up for it. An event that an agent has put aside is the letter's business (`app.replay`), not this one's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.events.event import Event, MalformedError, parse
from app.store.documents import Documents
from app.store.letters import Letters
from app.store.markers import Markers
from app.store.outbox import Outbox

Listeners = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Unconsumed:
    """`body` is the event as it was published, `by` are the agents that have yet to act upon it."""

    event: Event
    body: dict[str, Any]
    by: tuple[str, ...]


def consumers(event: Event, listeners: Listeners) -> list[str]:
    """Whom the topic brings an event to: as its subscriptions filter (`infra/azure/events.py`)."""
    return [
        agent
        for agent, types in listeners.items()
        if (event.type in types if types else (event.subject or "").startswith(f"/agents/{agent}/"))
    ]


class Search:
    """`listeners`: the event types that each agent listens to; all of them may have published."""

    def __init__(self, documents: Documents, listeners: Listeners) -> None:
        self._documents, self._listeners = documents, listeners
        self._markers = {agent: Markers(documents, agent) for agent in listeners}

    async def since(self, moment: datetime) -> AsyncIterator[list[Unconsumed]]:
        """Page by page, at most as many as one request to the topic takes. Raises StoreError."""
        aside = await self._put_aside()
        for agent in self._listeners:
            outbox, after = Outbox(self._documents, agent), None
            while True:
                bodies, after = await outbox.settled("topic", moment, after)
                found = await asyncio.gather(*(self._look(agent, body, aside) for body in bodies))
                if left := [one for one in found if one.by]:
                    yield left
                if after is None:
                    break

    async def _look(self, publisher: str, body: dict[str, Any], aside: set[tuple[str, str]]) -> Unconsumed:
        event = Event.model_validate(body)
        if (publisher, event.key) in aside:  # The topic refused it for good.
            return Unconsumed(event, body, ())
        wanted = [one for one in consumers(event, self._listeners) if (one, event.key) not in aside]
        seen = await asyncio.gather(*(self._markers[agent].seen(event.key) for agent in wanted))
        by = tuple(agent for agent, done in zip(wanted, seen, strict=True) if not done)
        return Unconsumed(event, body, by)

    async def _put_aside(self) -> set[tuple[str, str]]:
        """Agent and key of every event that is kept as a letter."""
        found = set()
        for letter in await Letters(self._documents).all():
            key = _key(letter.text)
            if key is not None:
                found.add((letter.agent, key))
        return found


def _key(text: str) -> str | None:
    try:
        return parse(text).key
    except MalformedError:
        return None


def line(one: Unconsumed, outcome: str) -> str:
    """One JSON object, without the event's data."""
    shown = {
        "outcome": outcome,
        "event": one.event.id,
        "type": one.event.type,
        "source": one.event.source,
        "missing": list(one.by),
    }
    return json.dumps(shown, ensure_ascii=False)
