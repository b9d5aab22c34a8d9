"""What clusters ask of the sandbox's Azure over HTTPS: OIDC documents for anyone, and, with the cluster's
secret, instance metadata and authorization; the admission webhook is open because it only rewrites what it
is sent."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.aks import azurerbac, metadata, oidc, workloadidentity
from sandbox.aks.api import Api, ApiError
from sandbox.aks.endpoint import secret
from sandbox.aks.layout import ClusterLayout, existing
from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import json_object
from sandbox.config import TENANT_ID
from sandbox.services import Services

ApiOf = Callable[[Resource], Api]


class Hooks:
    """`api_of` gives the sandbox's own access to a cluster's API."""

    def __init__(self, services: Services, api_of: ApiOf) -> None:
        self._services = services
        self._api_of = api_of

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/{key}/authorize", self._authorize, methods=["POST"]),
                Route("/{key}/workload-identity", self._workload_identity, methods=["POST"]),
                Route("/{key}/nodes/{number:int}/metadata/{path:path}", self._metadata),
            ],
            exception_handlers=_REFUSALS,
        )

    def issuer_app(self) -> Starlette:
        """Served at every region's issuer host; paths are `/TENANT/CLUSTER/…`."""
        return Starlette(
            routes=[
                Route("/{tenant}/{cluster}/.well-known/openid-configuration", self._discovery),
                Route("/{tenant}/{cluster}/openid/v1/jwks", self._keys),
            ],
            exception_handlers=_REFUSALS,
        )

    async def _authorize(self, request: Request) -> Response:
        cluster = self._cluster(request)
        if cluster is None or not _knows_secret(request, cluster):
            raise _unauthorized()
        review = await _review(request, "SubjectAccessReview", "spec")
        return JSONResponse(azurerbac.review(self._services.rbac, cluster.id, review))

    async def _workload_identity(self, request: Request) -> Response:
        cluster = self._cluster(request)
        resource = self._services.store.get(cluster.id) if cluster else None
        if resource is None:
            raise _nothing(request)
        review = await _review(request, "AdmissionReview", "request")
        try:
            asked = review["request"]
            name = asked["object"]["spec"].get("serviceAccountName") or "default"
            namespace = asked["namespace"]
        except (KeyError, TypeError, AttributeError) as error:
            raise bad_request("BadRequest", f"The AdmissionReview is of no pod: {error!r}.") from error
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
        try:
            account = await self._api_of(resource).find(path)
        except ApiError as error:
            return JSONResponse({"message": str(error)}, status_code=503)
        host = f"https://{self._services.names.login}/"
        return JSONResponse(workloadidentity.mutate(review, account, tenant=TENANT_ID, authority_host=host))

    async def _metadata(self, request: Request) -> Response:
        cluster = self._cluster(request)
        resource = self._services.store.get(cluster.id) if cluster else None
        if cluster is None or resource is None or not _knows_secret(request, cluster):
            raise _unauthorized()
        node = next((n for n in cluster.nodes() if n.number == request.path_params["number"]), None)
        if node is None:
            raise _nothing(request)
        instance = metadata.Instance(node, resource)
        return await metadata.answer(self._services, instance, request, request.path_params["path"])

    async def _discovery(self, request: Request) -> Response:
        found = self._issuer(request)
        if found is None:
            raise _nothing(request)
        return JSONResponse(oidc.discovery(found[0]))

    async def _keys(self, request: Request) -> Response:
        found = self._issuer(request)
        if found is None:
            raise _nothing(request)
        return JSONResponse(oidc.keys((found[1].folder / "pki" / "service-account.pub").read_text()))

    def _cluster(self, request: Request) -> ClusterLayout | None:
        key = request.path_params["key"]
        return next((layout for layout in existing(self._services.config) if layout.key == key), None)

    def _issuer(self, request: Request) -> tuple[str, ClusterLayout] | None:
        path = f"/{request.path_params['tenant']}/{request.path_params['cluster']}/"
        for layout in existing(self._services.config):
            resource = self._services.store.get(layout.id)
            profile = (resource.properties.get("oidcIssuerProfile") or {}) if resource else {}
            issuer = profile.get("issuerURL") if profile.get("enabled") else None
            if issuer and issuer.partition("://")[2].lower() == (request.url.hostname or "") + path:
                return issuer, layout
        return None


async def _review(request: Request, kind: str, part: str) -> dict[str, Any]:
    """The review that an API server sends. Raises ArmError for anything else."""
    try:
        body = await json_object(request)
    except ValueError as error:
        raise bad_request("BadRequest", f"The body is not a {kind}: {error}.") from error
    if body.get("kind") != kind or not isinstance(body.get(part), dict):
        raise bad_request("BadRequest", f"The body is not a {kind} with a {part}.")
    return body


async def _refuse(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = ArmError(error.status_code, "BadRequest", error.detail)
    if not isinstance(error, ArmError):
        raise error
    return JSONResponse(error.body(), error.status)


#: Every refusal is a JSON object, also of paths and methods that there are not.
_REFUSALS: dict[Any, Any] = {ArmError: _refuse, HTTPException: _refuse}


def _unauthorized() -> ArmError:
    return ArmError(401, "Unauthorized", "The cluster's secret is missing or is not this cluster's.")


def _nothing(request: Request) -> ArmError:
    return ArmError(404, "NotFound", f"There is nothing at {request.url.path}.")


def _knows_secret(request: Request, cluster: ClusterLayout) -> bool:
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(shown.encode(), secret(cluster).encode())
