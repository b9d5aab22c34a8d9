"""The data plane of every registry: `https://<name>.azurecr.<suffix>`.

Requests are authorized here and handed on to the registry's own distribution process.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.azure.containerregistry import naming, oauth, replies
from sandbox.azure.containerregistry.attributes import Attributes
from sandbox.azure.containerregistry.callers import ANONYMOUS, Gate, RefusedError, basic
from sandbox.azure.containerregistry.catalog import Catalog
from sandbox.azure.containerregistry.distribution import distribution
from sandbox.azure.containerregistry.firewall import Firewall
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.grants import Grant
from sandbox.azure.containerregistry.proxy import forward
from sandbox.azure.containerregistry.repositories import Repositories
from sandbox.azure.containerregistry.tokens import InvalidTokenError
from sandbox.azure.dataplane import find, host
from sandbox.services import Services

_API = re.compile(r"(?P<name>.+)/(?P<kind>manifests|blobs|tags)/(?P<rest>.+)")
_READS = frozenset({"GET", "HEAD"})
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_CATALOG = Grant("registry", "catalog", frozenset({"*"}))


def _wanted(method: str, repository: str, rest: str) -> Grant:
    """What a registry API request needs."""
    if method in _READS and not rest.startswith("uploads/"):
        actions = {"pull"}
    elif method == "DELETE" and not rest.startswith("uploads/"):
        actions = {"delete"}
    else:
        actions = {"pull", "push"}
    return Grant("repository", repository, frozenset(actions))


class Plane:
    def __init__(self, services: Services) -> None:
        self._services = services

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/oauth2/exchange", self._exchange, methods=["POST"]),
                Route("/oauth2/token", self._token, methods=["GET", "POST"]),
                Route("/v2", self._version, methods=["GET", "HEAD"]),
                Route("/v2/", self._version, methods=["GET", "HEAD"]),
                Route("/v2/_catalog", self._catalog, methods=["GET"]),
                Route("/v2/{path:path}", self._registry_api, methods=_METHODS),
                Route("/acr/v1/_catalog", self._catalog, methods=["GET"]),
                Route("/acr/v1/{path:path}", self._azure_api, methods=["GET", "PATCH", "DELETE"]),
            ],
            exception_handlers={HTTPException: _refuse},
            middleware=[Middleware(Firewall, services=self._services)],
        )

    def _gate(self, request: Request) -> Gate | None:
        registry = find(self._services.store, naming.TYPE, host(request).partition(".")[0])
        return Gate(self._services, registry) if registry else None

    async def _exchange(self, request: Request) -> Response:
        gate = self._gate(request)
        return await oauth.exchange(gate, request) if gate else _no_registry(request)

    async def _token(self, request: Request) -> Response:
        gate = self._gate(request)
        return await oauth.token(gate, request) if gate else _no_registry(request)

    def _refusal(self, gate: Gate, request: Request, wanted: Grant | None) -> Response | None:
        """A 401 unless the request carries credentials good for `wanted` (None: for anything)."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() == "bearer":
                grants = gate.tokens.grants(value.strip())
                if wanted is None or any(grant.covers(wanted) for grant in grants):
                    return None
                return replies.unauthorized(gate.login_server, wanted, why="insufficient_scope")
            if scheme.lower() == "basic":
                caller = gate.from_password(*basic(value))
                if wanted is None or wanted in gate.granted(caller, [wanted]):
                    return None
        except (InvalidTokenError, RefusedError):
            return replies.unauthorized(gate.login_server, wanted, why="invalid_token")
        if not scheme and wanted is not None and wanted in gate.granted(ANONYMOUS, [wanted]):
            return None
        return replies.unauthorized(gate.login_server, wanted)

    async def _version(self, request: Request) -> Response:
        if (gate := self._gate(request)) is None:
            return _no_registry(request)
        if (refusal := self._refusal(gate, request, None)) is not None:
            return refusal
        return Response(
            "{}", media_type="application/json", headers={"Docker-Distribution-Api-Version": "registry/2.0"}
        )

    async def _catalog(self, request: Request) -> Response:
        if (gate := self._gate(request)) is None:
            return _no_registry(request)
        if (refusal := self._refusal(gate, request, _CATALOG)) is not None:
            return refusal
        return await Catalog(gate.login_server, self._folder(gate)).list(request)

    async def _registry_api(self, request: Request) -> Response:
        if (gate := self._gate(request)) is None:
            return _no_registry(request)
        match = _API.fullmatch(request.path_params["path"])
        if match is None or _climbs(match.string):
            return replies.error(404, "UNSUPPORTED", "The operation is unsupported.")
        repository, kind, rest = match["name"], match["kind"], match["rest"]
        if (refusal := self._refusal(gate, request, _wanted(request.method, repository, rest))) is not None:
            return refusal
        if kind == "manifests" and self._locked(gate, request, repository, rest):
            return replies.disallowed()
        backend = distribution(self._services.config, gate.registry.id.name.lower())
        return await forward(backend.client, request, query=self._query(gate, request))

    def _query(self, gate: Gate, request: Request) -> str | None:
        """A blob may be taken from another repository only by who may pull there; else it is uploaded."""
        source = request.query_params.get("from")
        if source is None:
            return None
        if self._refusal(gate, request, Grant("repository", source, frozenset({"pull"}))) is None:
            return None
        rest = [(k, v) for k, v in request.query_params.multi_items() if k not in {"from", "mount"}]
        return urlencode(rest)

    def _locked(self, gate: Gate, request: Request, repository: str, reference: str) -> bool:
        folder = self._folder(gate)
        attribute = {"DELETE": "deleteEnabled", "PUT": "writeEnabled"}.get(request.method, "readEnabled")
        references = [reference]
        if ":" not in reference and (digest := Repositories(folder).digest(repository, reference)):
            references.append(digest)
        elif request.method == "DELETE":
            references += [
                tag.name for tag in Repositories(folder).tags(repository) if tag.digest == reference
            ]
        return not Attributes(folder).allow(attribute, repository, *references)

    async def _azure_api(self, request: Request) -> Response:
        if (gate := self._gate(request)) is None:
            return _no_registry(request)
        path = request.path_params["path"].strip("/")
        if _climbs(path):
            return replies.error(400, "NAME_INVALID", f"the name '{path}' is invalid")
        repository = re.split(r"/_(?:tags|manifests)(?:/|$)", path)[0]
        action = {"GET": "metadata_read", "PATCH": "metadata_write"}.get(request.method, "delete")
        wanted = Grant("repository", repository, frozenset({action}))
        if (refusal := self._refusal(gate, request, wanted)) is not None:
            return refusal
        return await Catalog(gate.login_server, self._folder(gate)).answer(request, path)

    def _folder(self, gate: Gate) -> Folder:
        return Folder.of(self._services.config, gate.registry.id.name)


def _climbs(path: str) -> bool:
    """Whether a path means another than it says: names are folders of the registry."""
    return "\0" in path or not {"", ".", ".."}.isdisjoint(path.rstrip("/").split("/"))


async def _refuse(_request: Request, error: Exception) -> Response:
    """Paths, methods and forms that are none of this registry's."""
    if not isinstance(error, HTTPException):
        raise error
    return replies.error(error.status_code, "UNSUPPORTED", error.detail)


def _no_registry(request: Request) -> Response:
    return replies.error(404, "NAME_UNKNOWN", f"there is no registry {host(request)}")
