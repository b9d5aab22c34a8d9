"""Who sends a request, by its Authorization header: `type=aad&ver=1.0&sig=TOKEN` or a key's signature.

Source: https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import access, keys, naming
from sandbox.azure.documentdb.errors import CosmosError
from sandbox.services import Services

_RBAC = "Learn more: https://aka.ms/cosmos-native-rbac."


@dataclass(frozen=True)
class Caller:
    """`object_id` None has an account key and may do everything that the key signs."""

    object_id: str | None


def _unauthorized(message: str) -> CosmosError:
    return CosmosError(401, "Unauthorized", message)


def _audiences(services: Services, account: Resource) -> list[str]:
    own = [f"https://{host}" for host in naming.hosts(services.names, account)]
    return [
        f"{audience}{end}"
        for audience in (*own, "https://cosmos.azure.com")
        for end in ("", "/", ":443", ":443/")
    ]


def authenticate(services: Services, account: Resource, request: Request, kind: str, link: str) -> Caller:
    """Raises CosmosError 401. `kind` and `link` are what a key's signature covers."""
    header = unquote(request.headers.get("authorization", ""))
    if not header:
        raise _unauthorized(
            "Required Header authorization is missing. Ensure a valid Authorization token is passed."
        )
    parts = dict(part.partition("=")[::2] for part in header.split("&", 2))
    if parts.get("ver") != "1.0" or not parts.get("sig"):
        raise _unauthorized(
            "Authorization header doesn't confirm to the required format. Please verify and try again."
        )
    if parts.get("type") == "aad":
        try:
            principal = services.tokens.verify(parts["sig"], _audiences(services, account))
        except ArmError as error:
            raise _unauthorized(f"The AAD token is not valid: {error.message}") from error
        return Caller(principal.object_id)
    if not keys.local_auth(account):
        raise _unauthorized("Local Authorization is disabled. Use an AAD token to authorize all requests.")
    if parts.get("type") == "master":
        date = request.headers.get("x-ms-date") or request.headers.get("date") or ""
        signature = parts["sig"]
        if keys.fresh(date, time.time()) and keys.signed(
            services.config,
            account,
            method=request.method,
            link=link,
            kind=kind,
            date=date,
            signature=signature,
        ):
            return Caller(None)
    raise _unauthorized(
        "The input authorization token can't serve the request. The wrong key is being used or the "
        "expected payload is not built as per the protocol."
    )


def require(services: Services, account: Resource, caller: Caller, action: str, resource: str) -> None:
    """Raise CosmosError 403 unless the caller may. `resource` is "", `/dbs/X` or `/dbs/X/colls/Y`."""
    if caller.object_id is None or access.allows(services.store, account, caller.object_id, action, resource):
        return
    raise CosmosError(
        403,
        "Forbidden",
        f"Request blocked by Auth {account.id.name} : Request is blocked because principal "
        f"[{caller.object_id}] does not have required RBAC permissions to perform action [{action}] on "
        f"resource [{resource.strip('/') or '/'}]. {_RBAC}",
        substatus=5301,
    )


def refuse_management(account: Resource, caller: Caller, method: str, path: str) -> CosmosError:
    """Databases, containers and scripts are made and changed through Resource Manager."""
    if caller.object_id is None:
        message = (
            f"The given request [{method} {path}] is not allowed with an account key: the local Azure takes "
            "changes of databases and containers through Azure Resource Manager alone."
        )
    else:
        message = (
            f"Request blocked by Auth {account.id.name} : The given request [{method} {path}] cannot be "
            f"authorized by AAD token in data plane. {_RBAC}"
        )
    return CosmosError(403, "Forbidden", message, substatus=5300)
