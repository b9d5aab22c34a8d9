"""The data plane of every account: `https://<account>.documents.<suffix>` and its regional names."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import host
from sandbox.azure.documentdb import access, charges, endpoints, failover, firewall, metadata, naming, replies
from sandbox.azure.documentdb.addressing import Address
from sandbox.azure.documentdb.authentication import Caller, authenticate, refuse_management, require
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.documents import Documents
from sandbox.azure.documentdb.errors import CosmosError, bad_request, not_found
from sandbox.azure.documentdb.throttle import Throttle
from sandbox.services import Services

log = logging.getLogger(__name__)

_DATABASE, _CONTAINER = ("dbs",), ("dbs", "colls")
_READS = frozenset({"GET", "HEAD"})


class Plane:
    """An ASGI app."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._throttle = Throttle(services.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except CosmosError as error:
            response = replies.refusal(error)
        except Exception as error:
            # A defect must answer in the service's shape too, with what is needed to find it in the log.
            log.exception("%s %s failed", request.method, request.url.path)
            response = replies.refusal(CosmosError(500, "InternalServerError", f"internal error: {error!r}"))
        await response(scope, receive, send)

    def _account(self, request: Request) -> tuple[Resource, str | None]:
        """The account behind the host name, and the region that it names."""
        account, region = endpoints.account_at(self._services.store, host(request).partition(".")[0])
        if account is None:
            raise CosmosError(404, "NotFound", f"There is no account at {host(request)}.")
        return account, region

    async def _answer(self, request: Request) -> Response:
        account, region = self._account(request)
        firewall.require(self._services, account, request)
        address = Address.of(request)
        caller = authenticate(self._services, account, request, address.kind, address.signed_link)
        if address.kinds == () or address.kinds in (_DATABASE, _CONTAINER):
            return self._metadata(request, account, address, caller)
        if address.kinds[:2] != _CONTAINER or len(address.names) < 2 or len(address.kinds) != 3:
            raise bad_request(f"The path {address.text} is not one of Cosmos DB.")
        if address.kind == "pkranges" and request.method in _READS:
            return self._ranges(request, account, address, caller)
        if address.kind != "docs":
            raise refuse_management(account, caller, request.method, address.text)
        return await self._documents(request, account, region, address, caller)

    # What is known from Resource Manager.

    def _child(self, above: Resource, kind: str, name: str) -> Resource:
        found = self._services.store.get(f"{above.id}/{kind}/{name}")
        # Names of databases and containers are case-sensitive, unlike ids of Resource Manager.
        if found is None or found.properties["resource"]["id"] != name:
            raise not_found(1003 if kind == "containers" else None)
        return found

    def _metadata(self, request: Request, account: Resource, address: Address, caller: Caller) -> Response:
        if request.method not in _READS:
            raise refuse_management(account, caller, request.method, address.text)
        require(self._services, account, caller, access.READ_METADATA, address.scope)
        if not address.kinds:
            return replies.reply(200, metadata.account(self._services.names, account))
        owner = (
            account if address.kinds == _DATABASE else self._child(account, "sqlDatabases", address.names[0])
        )
        kind = "sqlDatabases" if address.kinds == _DATABASE else "containers"
        if address.one:
            resource = self._child(owner, kind, address.names[-1]).properties["resource"]
            return replies.reply(200, resource, etag=resource["_etag"])
        type_name = naming.DATABASE if address.kinds == _DATABASE else naming.CONTAINER
        found = [
            r.properties["resource"] for r in self._services.store.list(type=type_name, under=str(owner.id))
        ]
        rid = "" if owner is account else owner.properties["resource"]["_rid"]
        name = "Databases" if owner is account else "DocumentCollections"
        return replies.reply(
            200, replies.feed(rid, name, found), headers={"x-ms-item-count": str(len(found))}
        )

    def _container(self, account: Resource, address: Address) -> tuple[Resource, Container]:
        database = self._child(account, "sqlDatabases", address.names[0])
        resource = self._child(database, "containers", address.names[1])
        return resource, Container.of(resource)

    def _ranges(self, request: Request, account: Resource, address: Address, caller: Caller) -> Response:
        require(self._services, account, caller, access.READ_METADATA, address.scope)
        _, container = self._container(account, address)
        etag = container.definition["_etag"]
        if request.headers.get("if-none-match") == etag:
            return replies.reply(304, etag=etag)
        headers = {"x-ms-item-count": "1"}
        return replies.reply(200, metadata.ranges(container), etag=etag, headers=headers)

    # Items.

    async def _documents(
        self, request: Request, account: Resource, region: str | None, address: Address, caller: Caller
    ) -> Response:
        documents = Documents(self._services, account, address, caller)
        work = documents.operation(request)
        require(self._services, account, caller, documents.action(request), address.scope)
        if documents.writes(request):
            failover.require_writable(account, region)
        resource, container = self._container(account, address)
        intended = request.headers.get("x-ms-cosmos-intended-collection-rid")
        if intended and intended != container.rid:
            raise bad_request(
                "Intended Collection Resource Id received in the request doesn't match the collection's.",
                1024,
            )
        meter = self._throttle.admit(account, resource)
        response = await work(request, container)
        meter.spend(float(response.headers.get("x-ms-request-charge", charges.read(0))))
        return response
