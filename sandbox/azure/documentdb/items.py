"""Reading and writing items: preconditions, partition keys, sizes, unique keys, and a batch as a whole."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.azure.documentdb import partition, patch, rids
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.errors import (
    CosmosError,
    bad_request,
    conflict,
    not_found,
    precondition_failed,
    unique_conflict,
)
from sandbox.azure.documentdb.journal import Journal

#: Bytes of an item, as UTF-8 JSON. Source: Cosmos DB service limits.
MAXIMUM_SIZE = 2 * 1024 * 1024
_MAXIMUM_ID = 1023
_MAXIMUM_TTL = 2**31 - 1
SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts", "_lsn")


@dataclass(frozen=True)
class Write:
    """One operation on one item. `kind` is create, read, replace, upsert, patch or delete.

    `id` is the item's where the request names it (else it is the body's); `key` is the partition key that the
    request names. `body` is the document, or the patch.
    """

    kind: str
    key: str | None
    id: str | None = None
    body: Any = None
    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True)
class Result:
    status: int
    document: dict[str, Any] | None
    #: Bytes of the item read or written, for its charge.
    size: int = 0

    @property
    def etag(self) -> str | None:
        return self.document["_etag"] if self.document else None


def _checked_document(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad_request("The input content is invalid: the document is not a JSON object.")
    id_ = body.get("id")
    if id_ is None:
        raise bad_request(
            "The input content is invalid because the required properties - 'id; ' - are missing"
        )
    if not isinstance(id_, str) or not id_ or len(id_.encode()) > _MAXIMUM_ID or set(id_) & set("/\\?#"):
        raise bad_request(
            f"The input name '{id_}' is invalid: an id is a string of 1 to {_MAXIMUM_ID} bytes without '/', "
            "'\\', '?' and '#'."
        )
    ttl = body.get("ttl")
    if "ttl" in body and (
        not isinstance(ttl, int) or isinstance(ttl, bool) or not (ttl == -1 or 1 <= ttl <= _MAXIMUM_TTL)
    ):
        raise bad_request(
            f"The input ttl '{ttl}' is invalid. Ensure to provide a nonzero positive integer less than or "
            f"equal to '{_MAXIMUM_TTL}', or '-1' which means never expire."
        )
    return {name: value for name, value in body.items() if name not in SYSTEM}


def _size(document: Mapping[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


class Items:
    """Operations on one container, on the thread that owns the journal."""

    def __init__(self, journal: Journal, container: Container) -> None:
        self._journal = journal
        self._container = container

    def one(self, write: Write) -> Result:
        """Do one operation. Raises CosmosError."""
        self._journal.sweep(self._container, time.time())
        if write.kind == "read":
            return self._do(write)
        with self._journal.transaction():
            return self._do(write)

    def batch(self, writes: Sequence[Write]) -> list[Result | CosmosError]:
        """Do all, or, when one is refused, none: then the others are answered 424."""
        self._journal.sweep(self._container, time.time())
        results: list[Result | CosmosError] = []
        try:
            with self._journal.transaction():
                for write in writes:
                    # Not a comprehension: what was done before a refusal tells where it was.
                    results.append(self._do(write))  # noqa: PERF401
        except CosmosError as error:
            dependency = CosmosError(424, "FailedDependency", "Another operation of the batch was refused.")
            failed = len(results)
            return [error if number == failed else dependency for number in range(len(writes))]
        return results

    def _do(self, write: Write) -> Result:
        operation = {
            "create": self._create,
            "read": self._read,
            "replace": self._replace,
            "upsert": self._upsert,
            "patch": self._patch,
            "delete": self._delete,
        }[write.kind]
        return operation(write)

    def _existing(self, write: Write) -> dict[str, Any]:
        found = self._journal.get(self._container, self._named_key(write), str(write.id))
        if found is None:
            raise not_found()
        return found

    def _named_key(self, write: Write) -> str:
        if write.key is None:
            raise bad_request("PartitionKey value must be supplied for this operation.")
        return write.key

    def _key(self, write: Write, document: dict[str, Any]) -> str:
        key = partition.of_document(document, self._container.paths)
        if write.key is not None and write.key != key:
            raise bad_request(
                "PartitionKey extracted from document doesn't match the one specified in the header", 1001
            )
        return key

    @staticmethod
    def _match(write: Write, current: dict[str, Any]) -> None:
        if write.if_match is not None and write.if_match not in ("*", current["_etag"]):
            raise precondition_failed()

    def _create(self, write: Write) -> Result:
        document = _checked_document(write.body)
        key = self._key(write, document)
        if self._journal.get(self._container, key, document["id"]) is not None:
            raise conflict()
        return self._store(201, "create", key, document, None)

    def _read(self, write: Write) -> Result:
        current = self._existing(write)
        if write.if_none_match is not None and write.if_none_match in ("*", current["_etag"]):
            return Result(304, current)
        return Result(200, current, _size(current))

    def _replace(self, write: Write) -> Result:
        document = _checked_document(write.body)
        if write.id is not None and document["id"] != write.id:
            raise bad_request("The id of an item cannot be changed: the body's is not the one in the path.")
        key = self._key(write, document)
        current = self._existing(replace(write, id=document["id"], key=key))
        self._match(write, current)
        return self._store(200, "replace", key, document, current)

    def _upsert(self, write: Write) -> Result:
        document = _checked_document(write.body)
        key = self._key(write, document)
        current = self._journal.get(self._container, key, document["id"])
        if current is None:
            return self._store(201, "upsert", key, document, None)
        self._match(write, current)
        return self._store(200, "upsert", key, document, current)

    def _patch(self, write: Write) -> Result:
        current = self._existing(write)
        self._match(write, current)
        body = {name: value for name, value in current.items() if name not in SYSTEM}
        changed = patch.apply(body, write.body, self._container.paths)
        return self._store(200, "patch", self._named_key(write), _checked_document(changed), current)

    def _delete(self, write: Write) -> Result:
        current = self._existing(write)
        self._match(write, current)
        self._journal.delete(self._container, "delete", self._named_key(write), str(write.id))
        return Result(204, None, _size(current))

    def _store(
        self, status: int, operation: str, key: str, document: dict[str, Any], current: dict[str, Any] | None
    ) -> Result:
        if self._journal.taken(self._container, key, document):
            raise unique_conflict()
        number, now = self._journal.next_lsn(), int(time.time())
        rid = current["_rid"] if current else rids.document(self._container.rid, number)
        stored = {
            **document,
            "_rid": rid,
            "_self": f"{self._container.path}docs/{rid}/",
            "_etag": f'"{number:08x}-0000-0700-0000-{now:08x}0000"',
            "_attachments": "attachments/",
            "_ts": now,
        }
        size = _size(stored)
        if size > MAXIMUM_SIZE:
            raise CosmosError(413, "RequestEntityTooLarge", "Request size is too large")
        self._journal.put(self._container, operation, key, stored)
        return Result(status, stored, size)
