"""Pages: of query results, of a container's items, of its change feed."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request

from sandbox.azure.documentdb import partition
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.errors import CosmosError, bad_request
from sandbox.azure.documentdb.journal import Journal

_DEFAULT = 100
_MAXIMUM = 1000
#: Bytes of one answer. Source: Cosmos DB service limits.
_PAGE_BYTES = 4 * 1024 * 1024


def page_size(request: Request) -> int:
    """Items asked for; -1 leaves it to the service."""
    text = request.headers.get("x-ms-max-item-count", str(_DEFAULT))
    try:
        size = int(text)
    except ValueError:
        raise bad_request(f"The page size '{text}' is not a number.") from None
    return _MAXIMUM if size < 1 else min(size, _MAXIMUM)


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    #: Where the next one begins; None after the last.
    continuation: str | None


def take(rows: list[Any], size: int) -> list[Any]:
    """As many as fit into a page, at least one."""
    taken: list[Any] = []
    room = _PAGE_BYTES
    for row in rows[:size]:
        room -= len(json.dumps(row, ensure_ascii=False))
        if room < 0 and taken:
            break
        taken.append(row)
    return taken


def by_offset(rows: list[Any], request: Request) -> Page:
    """The page of a query's results that the continuation token says."""
    token = request.headers.get("x-ms-continuation")
    try:
        offset = int(json.loads(token)["offset"]) if token else 0
    except (ValueError, KeyError, TypeError):
        raise bad_request(f"Invalid continuation token: {token}") from None
    taken = take(rows[offset:], page_size(request))
    end = offset + len(taken)
    return Page(taken, json.dumps({"offset": end}) if end < len(rows) else None)


@dataclass(frozen=True)
class Filter:
    """Which partition keys a feed is of: one, a range of hashes, or all."""

    key: str | None
    low: str | None = None
    high: str | None = None

    @classmethod
    def of(cls, request: Request, container: Container) -> Filter:
        header = request.headers.get("x-ms-documentdb-partitionkey")
        low, high = request.headers.get("x-ms-start-epk"), request.headers.get("x-ms-end-epk")
        if low == "" and high == "FF":
            low = high = None
        return cls(partition.of_header(header, container.paths, prefix=True), low, high)

    @property
    def everything(self) -> bool:
        return self.key is None and self.low is None

    def keys(self, journal: Journal, container: Container) -> list[str] | None:
        """The partition keys that it lets through; None for all."""
        if self.everything:
            return None
        if self.key is not None and len(json.loads(self.key)) == len(container.paths) and self.low is None:
            return [self.key]
        return [key for key in journal.keys(container) if self.holds(container, key)]

    def holds(self, container: Container, key: str) -> bool:
        if self.key is not None and not partition.starts_with(key, self.key):
            return False
        if self.low is None or self.high is None:
            return True
        hashed = partition.effective(key, container.paths, container.kind, container.version)
        return self.low <= hashed < self.high or (self.low == self.high == hashed)


def items(journal: Journal, container: Container, request: Request) -> Page:
    """All items, oldest write first."""
    journal.sweep(container, time.time())
    wanted = Filter.of(request, container)
    rows = journal.after(container, 0)
    return by_offset([json.loads(body) for _, key, body in rows if wanted.holds(container, key)], request)


def changes(journal: Journal, container: Container, request: Request) -> tuple[Page, int]:
    """Items written since the point named, each in its last version; and the point reached.

    `If-None-Match` names a point, or with `*` now; `If-Modified-Since` a time; neither the beginning.
    """
    journal.sweep(container, time.time())
    since, last = _since(journal, container, request), journal.last(container)
    wanted = Filter.of(request, container)
    found = [
        (lsn, body) for lsn, key, body in journal.after(container, since) if wanted.holds(container, key)
    ]
    documents = [{**json.loads(body), "_lsn": lsn} for lsn, body in found]
    taken = take(documents, page_size(request))
    reached = taken[-1]["_lsn"] if len(taken) < len(documents) else max(since, last)
    return Page(taken, None), int(reached)


def _since(journal: Journal, container: Container, request: Request) -> int:
    point = request.headers.get("if-none-match")
    if point == "*":
        return journal.last(container)
    if point is not None:
        text = point.strip().strip('"')
        if not text.isdigit():
            raise bad_request(f"Invalid change feed continuation: {point}")
        return int(text)
    moment = request.headers.get("if-modified-since")
    if moment is None:
        return 0
    try:
        return journal.lsn_at(parsedate_to_datetime(moment).timestamp())
    except ValueError:
        raise CosmosError(400, "BadRequest", f"If-Modified-Since '{moment}' is not an HTTP date.") from None
