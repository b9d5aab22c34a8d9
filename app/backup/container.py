"""A container of copies: blobs are created, listed and read; none is changed or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient


@dataclass(frozen=True)
class Listed:
    """A blob as a listing shows it: its metadata, and when it was written last."""

    name: str
    metadata: Mapping[str, str]
    modified: datetime


class Copies(Protocol):
    """What copying needs of a container; see `Container`. All of it raises AzureError."""

    async def sizes(self, prefix: str = "") -> dict[str, int]:
        """The blobs that there are, with their bytes."""

    async def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> None:
        """One blob, whole or not at all; nothing when it is there already."""

    async def read(self, name: str) -> bytes:
        """Raises ResourceNotFoundError."""


class Written(Protocol):
    """What bringing copies back needs of a container; see `Container`. All of it raises AzureError."""

    async def listed(self, prefix: str) -> list[Listed]:
        """The blobs that there are."""

    async def read(self, name: str) -> bytes:
        """Raises ResourceNotFoundError."""


class Container:
    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    async def sizes(self, prefix: str = "") -> dict[str, int]:
        found = self._client.list_blobs(name_starts_with=prefix or None)
        return {blob.name: blob.size async for blob in found}

    async def listed(self, prefix: str) -> list[Listed]:
        found = self._client.list_blobs(name_starts_with=prefix, include=["metadata"])
        return [Listed(blob.name, blob.metadata or {}, blob.last_modified) async for blob in found]

    async def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> None:
        try:
            await self._client.upload_blob(
                name,
                content,
                overwrite=False,
                metadata=dict(metadata),
                content_settings=ContentSettings(content_type="application/octet-stream"),
                # In one request, so that a blob is never there in part.
                max_concurrency=1,
            )
        except ResourceExistsError:
            return

    async def read(self, name: str) -> bytes:
        download = await self._client.download_blob(name)
        return await download.readall()

    async def close(self) -> None:
        await self._client.close()
