"""Event Grid's dead letters: what it could not deliver to an agent's queue, in a blob container.

A blob holds an array of events and is called SUBSCRIPTION/year/month/day/hour/guid.json, the subscription's
name in capitals. https://learn.microsoft.com/azure/event-grid/manage-event-delivery
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.storage.blob.aio import ContainerClient

from app.dependency import from_azure
from app.settings import DeadLetterSettings

_SUBSCRIPTION = "sub-"
_REASON = "deadletterreason"
# What Event Grid adds to an event that it gives up.
_ADDED = frozenset(
    {_REASON, "deliveryattempts", "lastdeliveryoutcome", "publishtime", "lastdeliveryattempttime"}
)


@dataclass(frozen=True)
class DeadLetter:
    """One event of a blob, as it was published; None for a blob that holds something else.

    `agent` is the one that did not get it.
    """

    agent: str
    name: str
    reason: str
    event: dict[str, Any] | None
    written: datetime


class DeadLetters:
    name = "dead letters"

    def __init__(self, settings: DeadLetterSettings, credential: AsyncTokenCredential) -> None:
        self._client = ContainerClient(str(settings.endpoint), settings.container, credential=credential)

    async def all(self, agent: str | None = None) -> AsyncIterator[DeadLetter]:
        """Of one agent, or of every one. Raises DependencyError."""
        prefix = f"{_SUBSCRIPTION}{agent}/".upper() if agent else _SUBSCRIPTION.upper()
        try:
            async for blob in self._client.list_blobs(name_starts_with=prefix):
                download = await self._client.download_blob(blob.name)
                written = blob.last_modified or datetime.now(UTC)
                for letter in _letters(blob.name, await download.readall(), written):
                    yield letter
        except AzureError as error:
            raise from_azure(error) from error

    async def close(self) -> None:
        await self._client.close()


def _letters(blob: str, content: bytes, written: datetime) -> list[DeadLetter]:
    agent = blob.partition("/")[0].lower().removeprefix(_SUBSCRIPTION)
    try:
        return [
            DeadLetter(
                agent=agent,
                name=f"{blob}#{number}",
                reason=f"not delivered: {event.get(_REASON, 'unknown')}",
                event={name: value for name, value in event.items() if name not in _ADDED},
                written=written,
            )
            for number, event in enumerate(json.loads(content))
        ]
    except (ValueError, AttributeError, TypeError) as error:
        return [DeadLetter(agent, blob, f"not an array of events: {error}", None, written)]
