"""A Cosmos DB container in memory, as the SDK's `ContainerProxy` shows it: ETags, transactions, refusals.

Only the queries that the application asks are answered; `tests/app/store/test_wire.py` holds this container
to what the sandbox's Cosmos DB answers over the wire.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import operator
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from azure.cosmos.exceptions import (
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

Document = dict[str, Any]
_CONDITION = re.compile(r"c\.(\w+) (=|<|>=) (@\w+|'\w+')")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "<": operator.lt, ">=": operator.ge}
_ORDER = re.compile(r"ORDER BY c\.(\w+)( DESC)?")


class Container:
    """`partition` is the property that documents are cut by."""

    def __init__(self, partition: str = "agent") -> None:
        self._partition = partition
        self._versions = itertools.count(1)
        self.kept: dict[tuple[str, str], Document] = {}
        #: Indexes of properties that few documents have.
        self._having: dict[str, dict[tuple[str, str], Document]] = {"pendingSince": {}}
        #: Reads and writes that were asked for.
        self.requests = 0

    async def read_item(self, item: str, partition_key: str) -> Document:
        await self._arrive()
        if (partition_key, item) not in self.kept:
            raise CosmosResourceNotFoundError(404, "NotFound")  # type: ignore[no-untyped-call]
        return copy.deepcopy(self.kept[partition_key, item])

    async def create_item(self, body: Document) -> Document:
        await self._arrive()
        if self._key(body) in self.kept:
            raise CosmosResourceExistsError(409, "Conflict")  # type: ignore[no-untyped-call]
        return self._put(body)

    async def upsert_item(self, body: Document) -> Document:
        await self._arrive()
        return self._put(body)

    async def execute_item_batch(
        self, batch_operations: Sequence[tuple[str, tuple[Any, ...], dict[str, Any]]], partition_key: str
    ) -> list[Document]:
        await self._arrive()
        assert 0 < len(batch_operations) <= 100, "a transaction has 1 to 100 operations"
        statuses = [self._status(*operation) for operation in batch_operations]
        for index, status in enumerate(statuses):
            if status:
                raise CosmosBatchOperationError(  # type: ignore[no-untyped-call]
                    error_index=index,
                    headers={},
                    status_code=status,
                    message="refused",
                    operation_responses=[],
                )
        bodies = [arguments[-1] for _, arguments, _ in batch_operations]
        assert all(body[self._partition] == partition_key for body in bodies), (
            "a transaction is of one partition"
        )
        assert len({body["id"] for body in bodies}) == len(bodies), "the fake takes a document once"
        return [{"statusCode": 200, "eTag": self._put(body)["_etag"]} for body in bodies]

    def _status(self, kind: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
        """Why an operation would be refused, or 0."""
        current = self.kept.get(self._key(arguments[-1]))
        match kind:
            case "create":
                return 409 if current else 0
            case "replace" if current is None:
                return 404
            case "replace":
                etag = options.get("if_match_etag")
                return 412 if etag and current and etag != current["_etag"] else 0
        return 0

    def query_items(
        self,
        query: str,
        *,
        parameters: list[dict[str, Any]],
        max_item_count: int | None = None,
        partition_key: str | None = None,
    ) -> Rows:
        def found() -> list[Document]:
            values = {one["name"]: one["value"] for one in parameters}
            conditions = _CONDITION.findall(query)
            rows = [
                one
                for (key, _), one in self._candidates(conditions)
                if partition_key in {None, key} and _fits(conditions, values, one)
            ]
            order = _ORDER.search(query)
            rows.sort(key=lambda row: (str(row[order[1]]) if order else "", row["id"]))
            return rows[::-1] if order and order[2] else rows

        return Rows(self._arrive, found, max_item_count)

    def _candidates(self, conditions: list[tuple[str, str, str]]) -> list[tuple[tuple[str, str], Document]]:
        """All, or those of the smallest index: a condition is true only of who has the property."""
        indexes = [self._having[name] for name, _, _ in conditions if name in self._having]
        return list(min(indexes, key=len, default=self.kept).items())

    async def _arrive(self) -> None:
        """Others may come first."""
        self.requests += 1
        await asyncio.sleep(0)

    def _key(self, body: Document) -> tuple[str, str]:
        return body[self._partition], body["id"]

    def _put(self, body: Document) -> Document:
        # As JSON it must be able to travel.
        stored = {**json.loads(json.dumps(body)), "_etag": f'"{next(self._versions)}"'}
        key = self._key(body)
        self.kept[key] = stored
        for name, index in self._having.items():
            if name in stored:
                index[key] = stored
            else:
                index.pop(key, None)
        return dict(stored)

    def of(self, kind: str) -> list[Document]:
        """All documents of a type."""
        return [one for one in self.kept.values() if one.get("type") == kind]


def _fits(conditions: list[tuple[str, str, str]], values: dict[str, Any], document: Document) -> bool:
    for name, comparison, operand in conditions:
        value = operand.strip("'") if operand.startswith("'") else values[operand]
        if name not in document:
            return False
        if not _COMPARE[comparison](document[name], value):
            return False
    return True


class Rows:
    """What a query finds, row by row or in pages."""

    def __init__(
        self, arrive: Callable[[], Any], found: Callable[[], list[Document]], size: int | None
    ) -> None:
        self._arrive, self._found, self._size = arrive, found, size or 100
        self.continuation_token: str | None = None

    async def __aiter__(self) -> AsyncIterator[Document]:
        await self._arrive()
        for row in self._found():
            yield dict(row)

    def by_page(self, continuation_token: str | None = None) -> Pages:
        return Pages(self._arrive, self._found, self._size, continuation_token)


class Pages:
    def __init__(
        self, arrive: Callable[[], Any], found: Callable[[], list[Document]], size: int, token: str | None
    ) -> None:
        self._arrive, self._found, self._size, self.continuation_token = arrive, found, size, token

    async def __anext__(self) -> AsyncIterator[Document]:
        await self._arrive()
        try:
            start = json.loads(self.continuation_token)["offset"] if self.continuation_token else 0
        except (ValueError, KeyError, TypeError) as error:
            raise CosmosHttpResponseError(400, "Invalid continuation") from error  # type: ignore[no-untyped-call]
        rows = self._found()
        end = start + self._size
        self.continuation_token = json.dumps({"offset": end}) if end < len(rows) else None
        return _each(rows[start:end])


async def _each(rows: list[Document]) -> AsyncIterator[Document]:
    for row in rows:
        yield dict(row)
