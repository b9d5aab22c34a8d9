"""Azure's side of the nodes' instance metadata service: who a node is, and tokens of its kubelet identity."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.aks.layout import NodeLayout
from sandbox.arm.resource import Resource
from sandbox.services import Services


@dataclass(frozen=True)
class Instance:
    """A node that asks: its layout and the cluster resource it belongs to."""

    node: NodeLayout
    cluster: Resource


async def answer(services: Services, instance: Instance, request: Request, path: str) -> Response:
    """One request to `/metadata/…`, as Azure answers it."""
    if request.headers.get("metadata", "").lower() != "true":
        return _refusal("invalid_request", "Required metadata header not specified")
    if not request.query_params.get("api-version"):
        return _refusal("bad_request", "Required query variable 'api-version' is missing")
    routes: dict[str, Callable[[Services, Instance, Request], Response]] = {
        "identity/oauth2/token": _token,
        "instance": _describe,
    }
    handler = routes.get(path.strip("/"))
    if handler is None:
        return JSONResponse({"error": "Not found"}, status_code=404)
    return handler(services, instance, request)


def _token(services: Services, instance: Instance, request: Request) -> Response:
    query = request.query_params
    audience = query.get("resource", "")
    if not audience:
        return _refusal("invalid_request", "Required query variable 'resource' is missing")
    identity: dict[str, Any] = instance.cluster.properties["identityProfile"]["kubeletidentity"]
    asked = {
        "client_id": identity["clientId"],
        "object_id": identity["objectId"],
        "mi_res_id": identity["resourceId"],
        "msi_res_id": identity["resourceId"],
    }
    if any(key in query and query[key].lower() != value.lower() for key, value in asked.items()):
        return _refusal("invalid_request", "Identity not found")
    token = services.tokens.issue(identity["objectId"], audience)
    claims = jwt.decode(token, options={"verify_signature": False})
    lifetime = str(int(claims["exp"]) - int(claims["iat"]))
    return JSONResponse(
        {
            "access_token": token,
            "client_id": identity["clientId"],
            "expires_in": lifetime,
            "expires_on": str(claims["exp"]),
            "ext_expires_in": lifetime,
            "not_before": str(claims.get("nbf", claims["iat"])),
            "resource": audience,
            "token_type": "Bearer",
        }
    )


def _describe(services: Services, instance: Instance, request: Request) -> Response:  # noqa: ARG001
    _, _, subscription, *_ = str(instance.cluster.id).split("/")
    pool_id = f"{instance.cluster.id}/agentPools/{instance.node.pool}"
    pool = services.store.get(pool_id)
    properties = pool.properties if pool else {}
    zones = properties.get("availabilityZones") or [""]
    return JSONResponse(
        {
            "compute": {
                "azEnvironment": services.names.suffix,
                "location": instance.cluster.location,
                "name": instance.node.name,
                "osType": "Linux",
                "provider": "Microsoft.Compute",
                "resourceGroupName": instance.cluster.properties["nodeResourceGroup"],
                "subscriptionId": subscription,
                "vmScaleSetName": instance.node.name.removesuffix("000000"),
                "vmSize": properties.get("vmSize", ""),
                "zone": zones[0],
            },
            "network": {
                "interface": [
                    {
                        "ipv4": {
                            "ipAddress": [
                                {"privateIpAddress": str(instance.node.address), "publicIpAddress": ""}
                            ]
                        }
                    }
                ]
            },
        }
    )


def _refusal(code: str, message: str) -> Response:
    return Response(
        json.dumps({"error": code, "error_description": message}),
        status_code=400,
        media_type="application/json",
    )
