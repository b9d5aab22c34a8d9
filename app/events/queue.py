"""The storage queue into which Event Grid delivers an agent's events."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from app.dependency import from_azure
from app.settings import StorageSettings

#: Messages that one request takes at most.
MOST = 32


@dataclass(frozen=True)
class Message:
    """`receipt` is the right to delete it until it becomes visible again; `taken` counts this time too."""

    id: str
    receipt: str
    content: str
    taken: int

    def text(self) -> str:
        """What was sent: Event Grid encodes it in base64, a person may not have.

        Raises ValueError when it is no text.
        """
        if self.content.lstrip().startswith("{"):
            return self.content
        try:
            return base64.b64decode(self.content, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(f"neither JSON nor base64 of a text: {error}") from error


class Queue:
    name = "queue"

    def __init__(self, settings: StorageSettings, credential: AsyncTokenCredential) -> None:
        self._client = QueueClient(str(settings.queue_endpoint), settings.queue, credential=credential)

    async def receive(self, most: int, hidden_seconds: float) -> list[Message]:
        """Take up to so many; nobody else gets them before that time is over. Raises DependencyError."""
        try:
            pages = self._client.receive_messages(
                messages_per_page=min(most, MOST),
                max_messages=min(most, MOST),
                visibility_timeout=int(hidden_seconds),
            )
            return [
                Message(one.id, one.pop_receipt or "", one.content, one.dequeue_count or 1)
                async for one in pages
            ]
        except AzureError as error:
            raise from_azure(error) from error

    async def delete(self, message: Message) -> None:
        """It is done with. One that somebody else has taken since stays theirs. Raises DependencyError."""
        try:
            await self._client.delete_message(message.id, message.receipt)
        except ResourceNotFoundError:
            return
        except AzureError as error:
            raise from_azure(error) from error

    async def depth(self) -> int:
        """About how many messages there are, those in work included. Raises DependencyError."""
        try:
            properties = await self._client.get_queue_properties()
        except AzureError as error:
            raise from_azure(error) from error
        return int(properties.approximate_message_count or 0)

    async def oldest(self) -> datetime | None:
        """When the first that waits was put; None when none waits. Raises DependencyError."""
        try:
            waiting = await self._client.peek_messages(1)
        except AzureError as error:
            raise from_azure(error) from error
        return waiting[0].inserted_on if waiting else None

    async def check(self) -> None:
        """Look at the next message and leave it where it is. Raises DependencyError."""
        try:
            await self._client.peek_messages(retry_total=0)
        except AzureError as error:
            raise from_azure(error) from error

    async def close(self) -> None:
        await self._client.close()
