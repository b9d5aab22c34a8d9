"""The data plane: `https://<account>.blob.…` and `.queue.…`, checked here and answered by Azurite.

A request is authenticated (Entra token, or the account's key where that is allowed), authorized for its
operation, held against the container's immutability, signed anew and streamed through in both directions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import bearer, find, host
from sandbox.azure.storage import errors, firewall, mirror, permissions
from sandbox.azure.storage.azurite import Azurite
from sandbox.azure.storage.errors import StorageError
from sandbox.azure.storage.permissions import Asked, Service
from sandbox.azure.storage.worm import Worm
from sandbox.config import TENANT_ID
from sandbox.services import Services

TYPE = "Microsoft.Storage/storageAccounts"
_AUDIENCE = "https://storage.azure.com"
#: Concern one connection only (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    }
)


@dataclass(frozen=True)
class Gateway:
    """ASGI app of one service."""

    services: Services
    service: Service
    client: httpx.AsyncClient
    worm: Worm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._handle(Request(scope, receive))
        except StorageError as error:
            response = error.response()
        await response(scope, receive, send)

    async def _handle(self, request: Request) -> Response:
        account = find(self.services.store, TYPE, host(request).partition(".")[0])
        if account is None:
            raise errors.resource_not_found(host(request))
        firewall.require(self.services, account, self.service, request)
        headers = [(k.lower(), v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP]
        azurite = Azurite(self.services, account)
        target = _target(request)
        asked = self._read(request)
        if self._by_token(request, account, asked):
            headers = azurite.sign(request.method, target, headers)
        ports = azurite.ports()
        if ports is None:
            raise errors.busy()
        url = httpx.URL(
            scheme="http", host="127.0.0.1", port=ports.of(self.service), raw_path=target.encode()
        )
        has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        body = request.stream() if has_body else None
        try:
            async with self.worm.guard(asked, account):
                answer = await self.client.send(
                    httpx.Request(request.method, url, headers=headers, content=body), stream=True
                )
        except ClientDisconnect as error:
            raise StorageError(
                400, "IncompleteBody", "The request body was not received to its end."
            ) from error
        except httpx.HTTPError as error:
            raise errors.busy() from error
        if answer.is_success:
            self._follow(request, account)
        return _relay(answer)

    def _follow(self, request: Request, account: Resource) -> None:
        """Keep ARM's view of containers and queues."""
        asked = self._read(request)
        name, rest = asked.parts
        whole = asked.query.get("restype") == "container" if self.service == "blob" else not rest
        if name and whole and not asked.comp and asked.method in ("PUT", "DELETE"):
            mirror.follow(self.services.store, account, self.service, asked.method, name)

    def _by_token(self, request: Request, account: Resource, asked: Asked) -> bool:
        """Whether a token carries the request (then it was authorized); else the account's key has to."""
        token = bearer(request)
        if token is not None:
            self._authorize(request, account, asked, token)
            return True
        signed = request.headers.get("authorization") is not None or "sig" in request.query_params
        if signed:
            if account.properties.get("allowSharedKeyAccess") is False:
                raise errors.key_not_permitted()
            return False
        public = self.service == "blob" and account.properties.get("allowBlobPublicAccess")
        if public and request.method in ("GET", "HEAD"):
            return False
        raise self._challenge(
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the "
            "www-authenticate header.",
        )

    def _authorize(self, request: Request, account: Resource, asked: Asked, token: str) -> None:
        audiences = (
            _AUDIENCE,
            f"https://{host(request)}",
            f"https://{self.services.names.service('storage')}",
        )
        try:
            principal = self.services.tokens.verify(token, audiences)
        except ArmError as error:
            raise self._challenge(
                "InvalidAuthenticationInfo",
                "Server failed to authenticate the request. Please refer to the information in the "
                f"www-authenticate header. {error.message}",
            ) from error
        rbac = self.services.rbac
        for need in permissions.needs(asked):
            scope = f"{account.id}/{need.scope}"
            granted = any(
                all(
                    rbac.allows(principal.object_id, grant.action, scope, data=grant.data) for grant in choice
                )
                for choice in need.choices
            )
            if not granted:
                raise errors.mismatch()

    def _read(self, request: Request) -> Asked:
        query: dict[str, str] = {}
        for name, value in parse_qsl(request.url.query, keep_blank_values=True):
            # What is ambiguous here could mean something else to the server behind.
            if name.lower() in ("comp", "restype", "peekonly") and (name != name.lower() or name in query):
                raise errors.invalid_query(name)
            query[name] = value
        source = urlsplit(request.headers.get("x-ms-copy-source", ""))
        own = (source.hostname or "").lower() == host(request)
        return Asked(
            service=self.service,
            method=request.method,
            path=unquote(request.scope["raw_path"].decode("ascii", "replace")),
            query=query,
            creates_only=request.headers.get("if-none-match") == "*",
            copies=unquote(source.path) if own else None,
        )

    def _challenge(self, code: str, message: str) -> StorageError:
        authority = f"https://{self.services.names.login}/{TENANT_ID}/oauth2/authorize"
        challenge = f"Bearer authorization_uri={authority} resource_id={_AUDIENCE}"
        return StorageError(401, code, message, {"WWW-Authenticate": challenge})


def _target(request: Request) -> str:
    """Path and query exactly as sent: they are signed."""
    path = request.scope["raw_path"].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def _relay(answer: httpx.Response) -> Response:
    async def body() -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        finally:
            await answer.aclose()

    response = StreamingResponse(body(), answer.status_code)
    response.raw_headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower().decode() not in _HOP_BY_HOP
    ]
    return response
