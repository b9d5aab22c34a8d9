"""Requests on a container's items: which operation each is, what it needs, and its answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox import jsonbody
from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import access, charges, failover, feeds, metadata, partition, replies
from sandbox.azure.documentdb.addressing import Address
from sandbox.azure.documentdb.authentication import Caller, require
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.engine import engine
from sandbox.azure.documentdb.errors import CosmosError, bad_request, precondition_failed
from sandbox.azure.documentdb.items import MAXIMUM_SIZE, Items, Result, Write
from sandbox.azure.documentdb.journal import Journal
from sandbox.services import Services

Work = Callable[[Request, Container], Awaitable[Response]]

_BATCH = 100
#: How often a conditional patch is tried again when the item changed between its condition and its write.
_ATTEMPTS = 20
_ONE = {"GET": "read", "HEAD": "read", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
_ACTIONS = {"patch": "replace"}


def _true(request: Request, header: str) -> bool:
    return request.headers.get(header, "").lower() == "true"


def _is_query(request: Request) -> bool:
    return _true(request, "x-ms-documentdb-isquery") or "query+json" in request.headers.get(
        "content-type", ""
    )


def _is_plan(request: Request) -> bool:
    return _true(request, "x-ms-cosmos-is-query-plan-request")


def _is_batch(request: Request) -> bool:
    return _true(request, "x-ms-cosmos-is-batch-request")


async def _body(request: Request) -> Any:
    try:
        return jsonbody.parse(await jsonbody.read(request, MAXIMUM_SIZE))
    except jsonbody.TooLargeError:
        raise CosmosError(413, "RequestEntityTooLarge", "Request size is too large") from None
    except ValueError as error:
        raise bad_request(f"The input content is invalid: the body is not JSON: {error}") from None


def _charge(write: Write, result: Result) -> float:
    if write.kind == "read":
        return charges.read(result.size)
    return charges.write(result.size, replaces=write.kind in ("replace", "patch") or result.status == 200)


class Documents:
    def __init__(self, services: Services, account: Resource, address: Address, caller: Caller) -> None:
        self._services = services
        self._account = account
        self._address = address
        self._caller = caller
        self._data = databases(services.config).of(account)
        self._engine = engine(services.config, account)

    def operation(self, request: Request) -> Work:
        """Raises CosmosError 405 for what there is not."""
        if self._address.one and request.method in _ONE:
            return self._item
        if not self._address.one and request.method == "POST":
            if _is_plan(request):
                return self._plan
            if _is_query(request):
                return self._query
            return self._batch if _is_batch(request) else self._item
        if not self._address.one and request.method in ("GET", "HEAD"):
            return self._changes if "a-im" in request.headers else self._list
        raise CosmosError(
            405, "MethodNotAllowed", f"{request.method} is not possible on {self._address.text}."
        )

    def writes(self, request: Request) -> bool:
        """Whether the request may change items; a batch is taken for one that does."""
        if request.method == "POST":
            return not (_is_query(request) or _is_plan(request))
        return request.method in ("PUT", "PATCH", "DELETE")

    def _kind(self, request: Request) -> str:
        """What is done to the one item."""
        if request.method == "POST":
            return "upsert" if _true(request, "x-ms-documentdb-is-upsert") else "create"
        return _ONE[request.method]

    def action(self, request: Request) -> str:
        """The data action that the request needs (a batch needs more, by operation)."""
        if not self._address.one:
            if request.method != "POST":
                return access.CHANGE_FEED
            if _is_query(request) or _is_plan(request):
                return access.QUERY
            if _is_batch(request):
                return access.READ_METADATA
        kind = self._kind(request)
        return access.item(_ACTIONS.get(kind, kind))

    # One item.

    async def _item(self, request: Request, container: Container) -> Response:
        kind = self._kind(request)
        write = Write(
            kind=kind,
            key=partition.of_header(request.headers.get("x-ms-documentdb-partitionkey"), container.paths),
            id=self._address.names[2] if self._address.one else None,
            body=await _body(request) if kind not in ("read", "delete") else None,
            if_match=request.headers.get("if-match"),
            if_none_match=request.headers.get("if-none-match"),
        )
        condition = write.body.get("condition") if kind == "patch" and isinstance(write.body, dict) else None
        if condition:
            result = await self._conditional(container, write, str(condition))
        else:
            result = await self._one(container, write)
        body: Any = result.document if result.status != 304 else None
        if kind not in ("read", "delete") and "return=minimal" in request.headers.get("prefer", ""):
            body = None
        lsn = await self._data.run(lambda journal: journal.last(container))
        return replies.reply(result.status, body, etag=result.etag, charge=_charge(write, result), lsn=lsn)

    async def _conditional(self, container: Container, write: Write, condition: str) -> Result:
        """A patch whose condition is judged on a version, and which is written only on that version."""
        read = replace(write, kind="read", body=None, if_none_match=None)
        for _ in range(_ATTEMPTS):
            current = (await self._one(container, read)).document
            if current is None or not await self._engine.holds(condition, current):
                raise precondition_failed(1110)
            try:
                return await self._one(
                    container, write if write.if_match else replace(write, if_match=current["_etag"])
                )
            except CosmosError as error:
                if error.status != 412 or write.if_match:
                    raise
        raise CosmosError(449, "RetryWith", "The item changes too often; retry the request.")

    async def _one(self, container: Container, write: Write) -> Result:
        def do(journal: Journal) -> Result:
            if write.kind != "read":
                failover.require_present(self._account, self._services.regions)
            return Items(journal, container).one(write)

        return await self._data.run(do)

    # Several.

    async def _batch(self, request: Request, container: Container) -> Response:
        key = partition.of_header(request.headers.get("x-ms-documentdb-partitionkey"), container.paths)
        operations = await _body(request)
        if not isinstance(operations, list) or not 1 <= len(operations) <= _BATCH:
            raise bad_request(f"A batch has 1 to {_BATCH} operations.")
        writes = [self._batched(operation, key) for operation in operations]
        for write in writes:
            kind = _ACTIONS.get(write.kind, write.kind)
            require(self._services, self._account, self._caller, access.item(kind), self._address.scope)

        def do(journal: Journal) -> list[Result | CosmosError]:
            failover.require_present(self._account, self._services.regions)
            return Items(journal, container).batch(writes)

        results = await self._data.run(do)
        lsn = await self._data.run(lambda journal: journal.last(container))
        answers = [_answer(write, result) for write, result in zip(writes, results, strict=True)]
        refused = any(isinstance(result, CosmosError) for result in results)
        total = round(sum(answer["requestCharge"] for answer in answers), 2)
        return replies.reply(207 if refused else 200, answers, charge=total, lsn=lsn)

    @staticmethod
    def _batched(operation: Any, key: str | None) -> Write:
        if not isinstance(operation, dict):
            raise bad_request("Each operation of a batch is a JSON object.")
        kind = str(operation.get("operationType", "")).lower()
        if kind not in ("create", "read", "replace", "upsert", "patch", "delete"):
            raise bad_request(f"The operation type '{operation.get('operationType')}' is not one of a batch.")
        body = operation.get("resourceBody")
        if isinstance(body, dict) and kind == "patch" and body.get("condition"):
            raise bad_request("The local Azure knows no conditions in the patches of a batch: use ifMatch.")
        return Write(
            kind, key, operation.get("id"), body, operation.get("ifMatch"), operation.get("ifNoneMatch")
        )

    # Feeds.

    async def _plan(self, _request: Request, _container: Container) -> Response:
        return replies.reply(200, metadata.plan())

    async def _query(self, request: Request, container: Container) -> Response:
        body = await _body(request)
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            raise bad_request("The query request has no query text.")
        wanted = feeds.Filter.of(request, container)
        anywhere = (
            _true(request, "x-ms-documentdb-query-enablecrosspartition")
            # A client that names a physical partition has looked them up to ask each.
            or "x-ms-documentdb-partitionkeyrangeid" in request.headers
        )
        rows = await self._engine.query(
            self._data,
            container,
            sql=body["query"],
            parameters=_parameters(body),
            keys=await self._data.run(lambda journal: wanted.keys(journal, container)),
            keyed=wanted.everything and not anywhere,
        )
        return await self._page(container, feeds.by_offset(rows, request))

    async def _list(self, request: Request, container: Container) -> Response:
        page = await self._data.run(lambda journal: feeds.items(journal, container, request))
        return await self._page(container, page)

    async def _page(self, container: Container, page: feeds.Page, *, etag: str | None = None) -> Response:
        lsn = await self._data.run(lambda journal: journal.last(container))
        headers: dict[str, str] = {"x-ms-item-count": str(len(page.rows))}
        if page.continuation:
            headers["x-ms-continuation"] = page.continuation
        content = replies.feed(container.rid, "Documents", page.rows)
        charge = charges.query(len(json.dumps(page.rows)))
        return replies.reply(200, content, charge=charge, lsn=lsn, headers=headers, etag=etag)

    async def _changes(self, request: Request, container: Container) -> Response:
        mode = request.headers.get("a-im", "")
        if mode.lower() != "incremental feed":
            raise bad_request(
                f"The local Azure has no change feed of the kind '{mode}', only 'Incremental Feed'."
            )
        page, reached = await self._data.run(lambda journal: feeds.changes(journal, container, request))
        if not page.rows:
            return replies.reply(304, etag=f'"{reached}"', lsn=reached)
        return await self._page(container, page, etag=f'"{reached}"')


def _parameters(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A query's parameters, each `{"name": "@x", "value": …}`. Raises CosmosError 400."""
    given = body.get("parameters") or []
    if not isinstance(given, list):
        raise bad_request("The parameters of a query are an array.")
    for one in given:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name.startswith("@"):
            raise bad_request("Each parameter of a query is an object with a name like '@x' and a value.")
    return given


def _answer(write: Write, result: Result | CosmosError) -> Mapping[str, Any]:
    """One operation's part of a batch's answer."""
    if isinstance(result, CosmosError):
        substatus = {"subStatusCode": result.substatus} if result.substatus is not None else {}
        return {"statusCode": result.status, "requestCharge": 0.0, **substatus}
    answer: dict[str, Any] = {"statusCode": result.status, "requestCharge": _charge(write, result)}
    if result.document is not None and result.status != 304:
        answer |= {"eTag": result.etag, "resourceBody": result.document}
    return answer
