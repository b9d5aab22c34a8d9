"""What a protected container's blobs may not undergo in the data plane.

Source: the table of scenarios in
https://learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies. New blobs may always
be written. As long as there is a policy none is overwritten or changed; one is deleted only after its
retention has ended, and not while there is a legal hold.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from weakref import WeakValueDictionary

import httpx

from sandbox.arm.resource import Resource
from sandbox.azure.storage import errors
from sandbox.azure.storage.azurite import Azurite
from sandbox.azure.storage.contents import holds_blobs
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.mirror import stored_id
from sandbox.azure.storage.permissions import Asked
from sandbox.azure.storage.protection import Protection, protection
from sandbox.services import Services

_DAY = 86_400
#: PUTs that write a blob anew, by `comp`; those that change one that is there.
_WRITES = {"", "blocklist", "copy"}
_CHANGES = {"metadata", "properties", "page", "snapshot", "incrementalcopy"}
_APPEND = "appendblock"


@dataclass(frozen=True)
class Worm:
    """Of one service's gateway. `client` reaches the servers behind it."""

    services: Services
    client: httpx.AsyncClient
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @asynccontextmanager
    async def guard(self, asked: Asked, account: Resource) -> AsyncIterator[None]:
        """Around the request's execution. Raises StorageError 409 for what the protection forbids; two
        requests for one protected blob do not overlap, so that what was looked at stays as it was."""
        container, blob = _place(asked)
        found = self._protection(asked, account, container)
        if not found.any or not _touches(asked, blob):
            yield
            return
        async with self._locks.setdefault(f"{account.id.key}{asked.path}", asyncio.Lock()):
            await self._require(asked, account, found)
            yield

    def _protection(self, asked: Asked, account: Resource, container: str) -> Protection:
        """No request for the service itself, or for a queue, is about a container."""
        store = self.services.store
        if asked.service != "blob" or not container:
            return protection(store, None)
        return protection(store, store.get(stored_id(account, "blob", container)))

    async def _require(self, asked: Asked, account: Resource, found: Protection) -> None:
        container, blob = _place(asked)
        if not blob:
            await self._require_deletable(account, container, found)
            return
        if asked.method == "PUT" and asked.comp == _APPEND and found.appends:
            return
        created = await self._created(account, container, blob, last_change=found.appends)
        if created is None:
            return  # there is nothing that could be overwritten, changed or deleted
        if found.held:
            raise errors.held()
        ended = found.days is not None and created + found.days * _DAY <= time.time()
        if asked.method != "DELETE" or not ended:
            raise errors.immutable()

    async def _require_deletable(self, account: Resource, container: str, found: Protection) -> None:
        if found.held:
            raise errors.container_held()
        stored = self.services.store.get(stored_id(account, "blob", container))
        if found.locked or (stored is not None and await holds_blobs(self.services, stored)):
            raise errors.container_locked()

    async def _created(
        self, account: Resource, container: str, blob: str, *, last_change: bool
    ) -> float | None:
        """Seconds since the epoch; None when there is no such blob. An append blob that may grow counts from
        its last change."""
        target = f"/{container}/{quote(blob, safe='/')}"
        answer = await Azurite(self.services, account).call(self.client, "blob", "HEAD", target)
        if answer.status_code == 404:
            return None
        if answer.is_error:
            raise errors.busy()
        appended = last_change and answer.headers.get("x-ms-blob-type") == "AppendBlob"
        name = "last-modified" if appended else "x-ms-creation-time"
        try:
            return parsedate_to_datetime(answer.headers[name]).timestamp()
        except (KeyError, ValueError) as error:
            raise StorageError(500, "InternalError", f"The blob's {name} cannot be read.") from error


def _place(asked: Asked) -> tuple[str, str]:
    """Container and blob; a blob without a container lies in `$root`."""
    container, blob = asked.parts
    if container and not blob and asked.query.get("restype") != "container":
        return "$root", container
    return container, blob


def _touches(asked: Asked, blob: str) -> bool:
    """Whether the request could overwrite, change or delete."""
    if asked.method == "DELETE":
        return True
    return asked.method == "PUT" and bool(blob) and asked.comp in {*_WRITES, *_CHANGES, _APPEND}
