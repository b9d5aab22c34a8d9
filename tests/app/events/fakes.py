"""Event Grid and a storage queue in memory, and pods that die in the middle of whatever they do."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.dependency import DependencyError
from app.events.queue import Message
from app.store.outbox import Entry


class Pod:
    """A process that ends at its step `dies_at`: an even one is before a call, an odd one after its effect.

    Nothing that it asks of others afterwards arrives, so it is as good as gone.
    """

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at = dies_at
        self.steps = 0
        self.dead = asyncio.Event()

    async def step(self) -> None:
        if self.dies_at is not None and self.steps >= self.dies_at:
            self.dead.set()
        self.steps += 1
        if self.dead.is_set():
            await asyncio.Event().wait()

    def seen_through(self, target: Any) -> Any:
        return _Mortal(target, self)


class _Mortal:
    def __init__(self, target: Any, pod: Pod) -> None:
        self._target, self._pod = target, pod

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            await self._pod.step()
            result = await method(*arguments, **options)
            await self._pod.step()
            return result

        # Queries are iterated, not awaited.
        return method if name == "query_items" else call


@dataclass
class _Kept:
    message: Message
    inserted: datetime
    visible_at: float = 0.0


class FakeQueue:
    """Messages that are taken are hidden for a while; only who took one last can delete it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self.kept: dict[str, _Kept] = {}

    def put(self, content: str) -> str:
        name = f"m{next(self._numbers)}"
        self.kept[name] = _Kept(Message(name, "", content, 0), self._clock())
        return name

    def deliver(self, event: dict[str, Any]) -> str:
        """As Event Grid does."""
        return self.put(base64.b64encode(json.dumps(event).encode()).decode())

    async def receive(self, most: int, hidden_seconds: float) -> list[Message]:
        await asyncio.sleep(0.005)
        now = asyncio.get_running_loop().time()
        taken = []
        for one in itertools.islice((one for one in self.kept.values() if one.visible_at <= now), most):
            found = one.message
            one.message = Message(found.id, f"r{next(self._numbers)}", found.content, found.taken + 1)
            one.visible_at = now + hidden_seconds
            taken.append(one.message)
        return taken

    async def delete(self, message: Message) -> None:
        await asyncio.sleep(0.005)
        one = self.kept.get(message.id)
        if one and one.message.receipt == message.receipt:
            del self.kept[message.id]

    async def depth(self) -> int:
        return len(self.kept)

    async def oldest(self) -> datetime | None:
        return min((one.inserted for one in self.kept.values()), default=None)


@dataclass
class FakeTopic:
    """Delivers to `queue` what it accepted, some of it twice; `down` it accepts nothing."""

    queue: FakeQueue
    chance: random.Random
    twice: int = 0
    down: bool = False
    accepted: list[str] = field(default_factory=list)

    async def publish(self, events: Sequence[dict[str, Any]]) -> None:
        await asyncio.sleep(0.01)
        if self.down:
            raise DependencyError("503 Service Unavailable", 503)
        for event in events:
            self.accepted.append(event["id"])
            for _ in range(2 if self.chance.randrange(100) < self.twice else 1):
                self.queue.deliver(event)

    async def entries(self, entries: Sequence[Entry]) -> None:
        await self.publish([entry.body for entry in entries])
