"""The storage queue into which Event Grid delivers an agent's events."""

from __future__ import annotations

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.storage.queue.aio import QueueClient

from app.dependency import from_azure
from app.settings import StorageSettings


class Queue:
    name = "queue"

    def __init__(self, settings: StorageSettings, credential: AsyncTokenCredential) -> None:
        self._client = QueueClient(str(settings.queue_endpoint), settings.queue, credential=credential)

    async def check(self) -> None:
        """Look at the next message and leave it where it is. Raises DependencyError.

        Peeking needs no more than the role for processing messages; reading the queue's properties does.
        """
        try:
            await self._client.peek_messages(retry_total=0)
        except AzureError as error:
            raise from_azure(error) from error

    async def close(self) -> None:
        await self._client.close()
