"""Cosmos DB's REST API, as far as the application uses it: reads, writes and batches of one partition.

Creating what exists is refused, and so is replacing under an ETag that is not the newest.
Queries find nothing: the outbox's sweep is for what pods left that died, and here none does.
https://learn.microsoft.com/rest/api/cosmos-db/
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from benchmarks.load.stubs.http import Answer, Request, answer_json

# By container; what is not listed is cut by agent.
_PARTITION_KEYS = {"Ledger": "/day"}
_CHARGE = (b"x-ms-request-charge", b"1")
_KINDS = {"GET": "Read", "POST": "Create", "PUT": "Replace"}
_RANGE = {"id": "0", "minInclusive": "", "maxExclusive": "FF"}

Document = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """`place` is container, partition and id; `etag` the version that must still be there, if any."""

    kind: str
    place: tuple[str, str, str]
    document: Document
    etag: str = ""


@dataclass
class Account:
    """Documents by place. `executions` counts those that were written."""

    documents: dict[tuple[str, str, str], Document] = field(default_factory=dict)
    executions: int = 0
    _versions: Iterator[int] = field(default_factory=itertools.count)

    def handle(self, request: Request) -> Answer | None:
        """The answer, or None when the request is for another service."""
        match request.path.strip("/").split("/"):
            case [""]:
                return answer_json(_account(request.header("host")))
            case ["dbs", _, "colls", container]:
                return answer_json(_container(container))
            case ["dbs", _, "colls", container, "pkranges"]:
                return answer_json({"_rid": container, "PartitionKeyRanges": [_RANGE], "_count": 1})
            case ["dbs", _, "colls", container, "docs", *rest]:
                return self._items(request, container, "".join(rest))
            case ["stub", "executions"]:
                return answer_json(self.executions)
        return None

    def _items(self, request: Request, container: str, name: str) -> Answer:
        if "query+json" in request.header("content-type"):
            return answer_json({"_rid": container, "Documents": [], "_count": 0}, headers=(_CHARGE,))
        (key,) = json.loads(request.header("x-ms-documentdb-partitionkey"))
        body: Any = json.loads(request.body) if request.body else {}
        if request.header("x-ms-cosmos-is-batch-request"):
            return self._batch(container, key, body)
        upsert = request.header("x-ms-documentdb-is-upsert").lower() == "true"
        operation = Operation(
            kind="Upsert" if upsert else _KINDS[request.method],
            place=(container, key, name or body["id"]),
            document=body,
            etag=request.header("if-match"),
        )
        if refusal := self._refusal(operation):
            return answer_json({"code": str(refusal), "message": refusal.phrase}, refusal, (_CHARGE,))
        status, found = self._do(operation)
        return answer_json(found, status, (_CHARGE, (b"etag", found["_etag"].encode())))

    def _batch(self, container: str, key: str, asked: list[Mapping[str, Any]]) -> Answer:
        """All or none; where one is refused, the others are said to have failed with it."""
        operations = [
            Operation(
                kind=one["operationType"],
                place=(container, key, one.get("id") or one["resourceBody"]["id"]),
                document=one.get("resourceBody", {}),
                etag=one.get("ifMatch", ""),
            )
            for one in asked
        ]
        refusals = [self._refusal(operation) for operation in operations]
        if any(refusals):
            failed = [
                {"statusCode": refusal or HTTPStatus.FAILED_DEPENDENCY, "requestCharge": 1}
                for refusal in refusals
            ]
            return answer_json(failed, HTTPStatus.MULTI_STATUS, (_CHARGE,))
        results = []
        for operation in operations:
            status, found = self._do(operation)
            results.append({"statusCode": status, "requestCharge": 1, "eTag": found["_etag"]})
        return answer_json(results, headers=(_CHARGE,))

    def _refusal(self, operation: Operation) -> HTTPStatus | None:
        there = self.documents.get(operation.place)
        if operation.kind == "Create":
            return HTTPStatus.CONFLICT if there else None
        if there is None:
            return None if operation.kind == "Upsert" else HTTPStatus.NOT_FOUND
        stale = operation.etag and operation.etag != there["_etag"]
        return HTTPStatus.PRECONDITION_FAILED if stale else None

    def _do(self, operation: Operation) -> tuple[HTTPStatus, Document]:
        if operation.kind == "Read":
            return HTTPStatus.OK, self.documents[operation.place]
        new = operation.place not in self.documents
        document = {**operation.document, "_etag": f'"{next(self._versions)}"', "_ts": 0, "_rid": "stub"}
        self.documents[operation.place] = document
        self.executions += new and document.get("type") == "execution"
        return HTTPStatus.CREATED if new else HTTPStatus.OK, document


def _account(host: str) -> Document:
    here = [{"name": "Stub", "databaseAccountEndpoint": f"https://{host}/"}]
    return {
        "id": "stub",
        "_rid": "stub",
        "writableLocations": here,
        "readableLocations": here,
        "enableMultipleWriteLocations": False,
        "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
    }


def _container(name: str) -> Document:
    path = _PARTITION_KEYS.get(name, "/agent")
    return {
        "id": name,
        "_rid": name,
        "_self": f"dbs/stub/colls/{name}/",
        "partitionKey": {"paths": [path], "kind": "Hash", "version": 2},
    }
