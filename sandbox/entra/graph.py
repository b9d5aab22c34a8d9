"""Microsoft Graph, as far as clients of Azure need it: to find a service principal and to name object ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import jsonbody
from sandbox.arm.errors import ArmError
from sandbox.entra.principals import MANAGED_IDENTITY, Directory, ServicePrincipal
from sandbox.services import Tokens

_EQUALS = re.compile(r"\s*(?P<field>\w+)\s+eq\s+'(?P<value>[^']*)'\s*")
_ANY_NAME = re.compile(
    r"\s*servicePrincipalNames/any\(\w+:\s*\w+\s+eq\s+'(?P<value>[^']*)'\)\s*", re.IGNORECASE
)
_STARTS = re.compile(r"\s*startswith\(\s*(?P<field>\w+)\s*,\s*'(?P<value>[^']*)'\s*\)\s*", re.IGNORECASE)

#: Microsoft Graph's own application.
_APPLICATION = "00000003-0000-0000-c000-000000000000"

Test = Callable[[dict[str, Any]], bool]


class Graph:
    def __init__(
        self, directory: Directory, tokens: Tokens, *, audiences: Sequence[str], tenant_id: str
    ) -> None:
        self._directory = directory
        self._tokens = tokens
        self._audiences = audiences
        self._tenant_id = tenant_id

    def app(self) -> Starlette:
        principals = "/{version}/servicePrincipals"
        return Starlette(
            routes=[
                Route(principals, self._list),
                Route(principals + "(appId='{client_id}')", self._by_client),
                Route(principals + "/{object_id}", self._one),
                Route("/{version}/directoryObjects/getByIds", self._by_ids, methods=["POST"]),
                Route("/{version}/directoryObjects/{object_id}", self._one),
                Route("/{version}/applications", self._list_applications),
                # The sandbox's directory has no people: their lists are empty.
                Route("/{version}/users", self._nobody),
                Route("/{version}/groups", self._nobody),
            ],
            exception_handlers={ArmError: _refuse, HTTPException: _no_route},
        )

    async def _list(self, request: Request) -> Response:
        self._authenticate(request)
        test = _test(request.query_params.get("$filter", ""))
        values = [wire for found in self._directory.all() if test(wire := self._wire(found))]
        return JSONResponse({"@odata.context": _context(request, "servicePrincipals"), "value": values})

    async def _list_applications(self, request: Request) -> Response:
        self._authenticate(request)
        test = _test(request.query_params.get("$filter", ""))
        applications = (
            {"id": found.object_id, "appId": found.client_id, "displayName": found.name}
            for found in self._directory.all()
            if found.kind != MANAGED_IDENTITY
        )
        values = [wire for wire in applications if test(wire)]
        return JSONResponse({"@odata.context": _context(request, "applications"), "value": values})

    async def _nobody(self, request: Request) -> Response:
        self._authenticate(request)
        return JSONResponse({"value": []})

    async def _one(self, request: Request) -> Response:
        self._authenticate(request)
        object_id = request.path_params["object_id"]
        return self._found(self._directory.get(object_id), object_id)

    async def _by_client(self, request: Request) -> Response:
        self._authenticate(request)
        client_id = request.path_params["client_id"]
        return self._found(self._directory.by_client(client_id), client_id)

    async def _by_ids(self, request: Request) -> Response:
        self._authenticate(request)
        try:
            body = jsonbody.parse(await jsonbody.read(request))
            ids = [str(each).lower() for each in body["ids"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ArmError(
                400, "Request_BadRequest", f"The body must be an object with 'ids': {error!r}."
            ) from error
        found = [principal for each in ids if (principal := self._directory.get(each)) is not None]
        values = [{"@odata.type": "#microsoft.graph.servicePrincipal", **self._wire(each)} for each in found]
        return JSONResponse({"value": values})

    def _found(self, principal: ServicePrincipal | None, asked: str) -> Response:
        if principal is None:
            raise ArmError(
                404,
                "Request_ResourceNotFound",
                f"Resource '{asked}' does not exist or one of its queried reference-property objects are "
                "not present.",
            )
        return JSONResponse(self._wire(principal))

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise ArmError(401, "InvalidAuthenticationToken", "Access token is empty.")
        self._tokens.verify(token.strip(), self._audiences)

    def _wire(self, principal: ServicePrincipal) -> dict[str, Any]:
        managed = principal.kind == MANAGED_IDENTITY
        names = [principal.client_id]
        alternative = []
        if managed and principal.resource_id:
            explicit = "userAssignedIdentities" in principal.resource_id
            alternative = [f"isExplicit={explicit}", principal.resource_id]
            names.append(f"https://identity.azure.net/{principal.object_id}")
        return {
            "id": principal.object_id,
            "appId": principal.client_id,
            "displayName": principal.name,
            "appDisplayName": None if managed else principal.name,
            "servicePrincipalType": principal.kind,
            "servicePrincipalNames": names,
            "alternativeNames": alternative,
            "accountEnabled": True,
            "appOwnerOrganizationId": None if managed else self._tenant_id,
            "tags": [],
        }


def _test(text: str) -> Test:
    """A `$filter` as a predicate. Raises ArmError for what Graph's clients here do not send."""
    if not text.strip():
        return lambda _: True
    if match := _ANY_NAME.fullmatch(text):
        name = match["value"].lower()
        return lambda wire: name in [known.lower() for known in wire.get("servicePrincipalNames", ())]
    if match := _EQUALS.fullmatch(text):
        field, value = match["field"], match["value"].lower()
        return lambda wire: str(wire.get(field)).lower() == value
    if match := _STARTS.fullmatch(text):
        field, value = match["field"], match["value"].lower()
        return lambda wire: str(wire.get(field)).lower().startswith(value)
    raise ArmError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {text}.")


def _context(request: Request, name: str) -> str:
    return f"https://{request.url.netloc}/{request.path_params['version']}/$metadata#{name}"


async def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, ArmError):
        raise error
    headers = {"WWW-Authenticate": _challenge(request)} if error.status == 401 else {}
    return JSONResponse(error.body(), error.status, headers)


def _challenge(request: Request) -> str:
    login = "login." + (request.url.hostname or "").partition(".")[2]
    authority = f"https://{login}/common/oauth2/authorize"
    return f'Bearer realm="", authorization_uri="{authority}", client_id="{_APPLICATION}"'


async def _no_route(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = "Request_ResourceNotFound" if error.status_code == 404 else "Request_BadRequest"
    message = f"The sandbox's Graph does not serve {request.method} '{request.url.path}'."
    return JSONResponse(ArmError(error.status_code, code, message).body(), error.status_code)
