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


def _id(key: str) -> str:
    return f"consumed-{key}"
