"""Which events an agent has consumed: deliveries come at least once, and each event counts once."""

from __future__ import annotations

from app.store.documents import Documents


class Markers:
    """One small document per event in the agent's partition; it expires with the container's events."""

    def __init__(self, documents: Documents, agent: str) -> None:
        self._documents, self._agent = documents, agent

    async def seen(self, key: str) -> bool:
        """Raises StoreError."""
        return await self._documents.read(self._agent, _id(key)) is not None

    async def mark(self, key: str) -> None:
        """Marking again changes nothing. Raises StoreError."""
        await self._documents.upsert({"id": _id(key), "agent": self._agent, "type": "consumed"})

    async def count(self, key: str) -> int:
        """Count an attempt at an event that came again; how many there were before it. Raises StoreError."""
        again = await self._attempts(key) + 1
        await self._set_attempts(key, again)
        # The first delivery is not counted.
        return again

    async def discount(self, key: str) -> None:
        """The attempt says nothing about the event. Raises StoreError."""
        await self._set_attempts(key, max(0, await self._attempts(key) - 1))

    async def forgive(self, key: str) -> None:
        """Forget the attempts. Raises StoreError."""
        await self._set_attempts(key, 0)

    async def _attempts(self, key: str) -> int:
        document = await self._documents.read(self._agent, f"attempts-{key}")
        return int(document["attempts"]) if document else 0

    async def _set_attempts(self, key: str, attempts: int) -> None:
        # Two pods that have the same event may count it once: there is room for more than one attempt.
        await self._documents.upsert(
            {"id": f"attempts-{key}", "agent": self._agent, "type": "attempts", "attempts": attempts}
        )


def _id(key: str) -> str:
    return f"consumed-{key}"
