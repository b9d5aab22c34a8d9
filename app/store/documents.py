"""Documents of one Cosmos DB container: the few operations that every store is built on."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from app.settings import CosmosSettings
from app.store.errors import StoreError, from_cosmos

Document = dict[str, Any]

# Operations of one transaction. https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch
BATCH = 100
# Longer than a healthy answer takes, shorter than a caller waits.
_CONNECT_SECONDS, _READ_SECONDS = 5, 10


@dataclass(frozen=True)
class Create:
    """Refused with ConflictError when there is a document of that id."""

    document: Document


@dataclass(frozen=True)
class Replace:
    """Refused with StaleError unless the document still is the version `etag`."""

    document: Document
    etag: str


@dataclass(frozen=True)
class Upsert:
    document: Document


Operation = Create | Replace | Upsert


class ContinuationError(StoreError):
    """A continuation that this container did not hand out; the caller's mistake, so the status is 400."""

    def __init__(self) -> None:
        super().__init__("the continuation is not one of this list", 400)


class Cosmos:
    """The client of the account; connects on first use, so a pod starts while Cosmos DB is away.

    Throttled requests are repeated by the SDK, as the service says (9 times, at most 30 seconds).
    """

    def __init__(self, settings: CosmosSettings, credential: AsyncTokenCredential) -> None:
        self._client = CosmosClient(
            str(settings.endpoint),
            credential=credential,
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
        )
        self._database = self._client.get_database_client(settings.database)

    def documents(self, container: str) -> Documents:
        return Documents(self._database.get_container_client(container))

    async def close(self) -> None:
        await self._client.close()


class Documents:
    """Operations on one container (the SDK's `ContainerProxy`); `key` names a partition.

    All raise StoreError.
    """

    def __init__(self, container: Any) -> None:
        self._container = container

    async def read(self, key: str, document_id: str) -> Document | None:
        """The document, or None."""
        try:
            found = await self._container.read_item(document_id, partition_key=key)
        except CosmosResourceNotFoundError:
            return None
        except AzureError as error:
            raise from_cosmos(error) from error
        return dict(found)

    async def create(self, document: Document) -> None:
        """Raises ConflictError when there is one of that id."""
        try:
            await self._container.create_item(document)
        except AzureError as error:
            raise from_cosmos(error) from error

    async def upsert(self, document: Document) -> None:
        try:
            await self._container.upsert_item(document)
        except AzureError as error:
            raise from_cosmos(error) from error

    async def batch(self, key: str, operations: Sequence[Operation]) -> list[str]:
        """All or none of at most `BATCH` operations; the ETags of what was written, in their order.

        Raises ConflictError or StaleError when one of them is refused.
        """
        try:
            answers = await self._container.execute_item_batch([_sent(one) for one in operations], key)
        except AzureError as error:
            raise from_cosmos(error) from error
        return [answer["eTag"] for answer in answers]

    async def query(
        self, sql: str, key: str | None, most: int | None = None, **parameters: object
    ) -> list[Document]:
        """At most so many rows of a query over one partition, or over all without a key.

        `parameters` by their names in the query, without the `@`.
        """
        rows: list[Document] = []
        try:
            async for row in self._items(sql, key, most, parameters):
                rows.append(dict(row))
                if len(rows) == most:
                    break
        except AzureError as error:
            raise from_cosmos(error) from error
        return rows

    async def page(
        self, sql: str, key: str, size: int, after: str | None, **parameters: object
    ) -> tuple[list[Document], str | None]:
        """One page of a query and the continuation that leads to the next, None after the last.

        Raises ContinuationError for an `after` that is none.
        """
        pages = self._items(sql, key, size, parameters).by_page(_decoded(after) if after else None)
        try:
            rows = [dict(row) async for row in await anext(pages)]
        except StopAsyncIteration:
            return [], None
        except AzureError as error:
            failure = from_cosmos(error)
            # The query is ours: what the service calls a bad request is the caller's continuation.
            if after and failure.status == 400:
                raise ContinuationError from error
            raise failure from error
        token = pages.continuation_token
        return rows, _encoded(token) if token else None

    def _items(self, sql: str, key: str | None, most: int | None, parameters: dict[str, object]) -> Any:
        named = [{"name": f"@{name}", "value": value} for name, value in parameters.items()]
        where = {} if key is None else {"partition_key": key}
        return self._container.query_items(sql, parameters=named, max_item_count=most, **where)


def _sent(operation: Operation) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """An operation as the SDK takes it."""
    document = operation.document
    match operation:
        case Create():
            return "create", (document,), {}
        case Upsert():
            return "upsert", (document,), {}
        case Replace(etag=etag):
            return "replace", (document["id"], document), {"if_match_etag": etag}


def _encoded(token: str) -> str:
    """The service's continuation is JSON, which no URL carries well."""
    return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise ContinuationError from error
