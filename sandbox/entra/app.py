"""The login endpoint: discovery documents, keys and the token endpoints, versions 1 and 2."""

from __future__ import annotations

import time
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.entra.clients import Clients
from sandbox.entra.errors import EntraError, missing_parameter, unknown_tenant
from sandbox.entra.keys import ALGORITHM, SigningKey
from sandbox.entra.resources import Resources
from sandbox.entra.tokens import LIFETIME, EntraTokens
from sandbox.names import Names

#: Authorities that stand for any tenant.
_SHARED = ("common", "organizations")
_EXPIRES_IN = LIFETIME - 1


class Login:
    def __init__(
        self,
        *,
        names: Names,
        tenant_id: str,
        key: SigningKey,
        tokens: EntraTokens,
        clients: Clients,
        resources: Resources,
    ) -> None:
        self._url = f"https://{names.login}"
        self._names = names
        self._tenant_id = tenant_id
        self._key = key
        self._tokens = tokens
        self._clients = clients
        self._resources = resources

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/common/discovery/instance", self._instance),
                Route("/{tenant}/.well-known/openid-configuration", self._configuration_v1),
                Route("/{tenant}/v2.0/.well-known/openid-configuration", self._configuration_v2),
                Route("/{tenant}/discovery/keys", self._keys),
                Route("/{tenant}/discovery/v2.0/keys", self._keys),
                Route("/{tenant}/oauth2/token", self._token, methods=["POST"], name="v1"),
                Route("/{tenant}/oauth2/v2.0/token", self._token, methods=["POST"], name="v2"),
            ],
            exception_handlers={EntraError: self._refuse, HTTPException: self._refuse_request},
        )

    async def _refuse(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, EntraError):
            raise error
        body = error.body(self._url, request.headers.get("client-request-id"))
        return JSONResponse(body, error.status, {"Cache-Control": "no-store"})

    async def _refuse_request(self, request: Request, error: Exception) -> Response:
        """Paths, methods and forms that are none of this endpoint's."""
        if not isinstance(error, HTTPException):
            raise error
        message = f"The request cannot be served: {request.method} {request.url.path}: {error.detail}"
        refused = EntraError(error.status_code, "invalid_request", 900144, message)
        return await self._refuse(request, refused)

    async def _instance(self, _request: Request) -> Response:
        tenant = f"{self._url}/{self._tenant_id}"
        return JSONResponse(
            {
                "tenant_discovery_endpoint": f"{tenant}/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [
                    {
                        "preferred_network": self._names.login,
                        "preferred_cache": self._names.login,
                        "aliases": [self._names.login],
                    }
                ],
            }
        )

    async def _configuration_v1(self, request: Request) -> Response:
        tenant = self._tenant(request, shared=True)
        issuer = f"https://sts.{self._names.suffix}/{tenant}/"
        return JSONResponse(self._configuration(tenant, issuer, ""))

    async def _configuration_v2(self, request: Request) -> Response:
        tenant = self._tenant(request, shared=True)
        return JSONResponse(self._configuration(tenant, f"{self._url}/{tenant}/v2.0", "/v2.0"))

    def _configuration(self, tenant: str, issuer: str, version: str) -> dict[str, Any]:
        authority = f"{self._url}/{tenant}"
        return {
            "token_endpoint": f"{authority}/oauth2{version}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": f"{authority}/discovery{version}/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": issuer,
            "request_uri_parameter_supported": False,
            "authorization_endpoint": f"{authority}/oauth2{version}/authorize",
            "device_authorization_endpoint": f"{authority}/oauth2{version}/devicecode",
            "end_session_endpoint": f"{authority}/oauth2{version}/logout",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nbf", "oid", "tid", "appid", "ver"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": self._names.login.partition(".")[2],
            "msgraph_host": self._names.graph,
        }

    async def _keys(self, request: Request) -> Response:
        self._tenant(request, shared=True)
        return JSONResponse(self._key.jwks(f"{self._url}/{self._tenant_id}/v2.0"))

    async def _token(self, request: Request) -> Response:
        self._tenant(request, shared=False)
        form = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
        grant = form.get("grant_type")
        if not grant:
            raise missing_parameter("grant_type")
        if grant != "client_credentials":
            raise EntraError(
                400,
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{grant}'. This directory serves "
                "'client_credentials'.",
            )
        first = not request.url.path.endswith("/v2.0/token")
        resource = self._resource(form, first=first)
        principal = await self._clients.authenticate(form)
        token = self._tokens.issue(principal.object_id, resource)
        return JSONResponse(_answer(token, resource, first=first), headers={"Cache-Control": "no-store"})

    def _resource(self, form: dict[str, str], *, first: bool) -> str:
        name = "resource" if first else "scope"
        if not form.get(name):
            raise missing_parameter(name)
        return self._resources.check(form[name]) if first else self._resources.from_scope(form[name])

    def _tenant(self, request: Request, *, shared: bool) -> str:
        tenant = str(request.path_params["tenant"])
        if shared and tenant.lower() in _SHARED:
            return "{tenantid}" if "configuration" in request.url.path else tenant
        if tenant.lower() != self._tenant_id:
            raise unknown_tenant(tenant)
        return self._tenant_id


def _answer(token: str, resource: str, *, first: bool) -> dict[str, Any]:
    if not first:
        return {
            "token_type": "Bearer",
            "expires_in": _EXPIRES_IN,
            "ext_expires_in": _EXPIRES_IN,
            "access_token": token,
        }
    now = int(time.time())
    return {
        "token_type": "Bearer",
        "expires_in": str(_EXPIRES_IN),
        "ext_expires_in": str(_EXPIRES_IN),
        "expires_on": str(now + _EXPIRES_IN),
        "not_before": str(now),
        "resource": resource,
        "access_token": token,
    }
