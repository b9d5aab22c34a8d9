"""Who may send telemetry to a component, and who may ask for what is kept.

https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication
https://learn.microsoft.com/azure/azure-monitor/logs/manage-access
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import bearer
from sandbox.azure.insights.telemetry import naming
from sandbox.azure.insights.telemetry.errors import QueryError
from sandbox.network.admission import Connection, Rules, refusal
from sandbox.services import Services

WRITE = "Microsoft.Insights/Telemetry/Write"
QUERY_COMPONENT = "Microsoft.Insights/components/query/read"
QUERY_WORKSPACE = "Microsoft.OperationalInsights/workspaces/query/read"
#: Either of these lets in to the tables: the first as an action, the second as a data action.
TABLES = f"{QUERY_WORKSPACE.removesuffix('/read')}/*/read"
DATA = "Microsoft.OperationalInsights/workspaces/tables/data/read"
#: Log Analytics' application, for which clients ask tokens too.
_LOG_ANALYTICS = "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5"
#: The sub-resource by which private endpoints lead to Azure Monitor.
_GROUP = "azuremonitor"


@dataclass
class Refused(Exception):  # noqa: N818 - as the answer calls it
    """An item that may not be sent: its status, and why."""

    status: int
    message: str


def may_send(services: Services, component: Resource, request: Request) -> None:
    """Raises Refused. Where local authentication is on, whoever does not sign in needs the key alone."""
    _admit(services, component, "publicNetworkAccessForIngestion", request)
    token = bearer(request)
    if token is None:
        if component.properties.get("DisableLocalAuth"):
            raise Refused(
                401, "Authentication is required: local authentication is disabled for this resource."
            )
        return
    try:
        principal = services.tokens.verify(
            token, ("https://monitor.azure.com", naming.audience(services.names))
        )
    except ArmError as error:
        raise Refused(401, error.message) from error
    if not services.rbac.allows(principal.object_id, WRITE, component.id.text, data=True):
        raise Refused(
            403,
            f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
            f"authorization to perform action '{WRITE}' over scope '{component.id.text}'.",
        )


def caller(services: Services, request: Request, hosts: tuple[str, ...], azure: str) -> Principal:
    """Who asks. Raises QueryError 401."""
    token = bearer(request)
    if token is None:
        raise QueryError(401, "AuthorizationRequiredError", "Valid authentication was not provided")
    audiences = (azure, _LOG_ANALYTICS, *(f"https://{host}" for host in hosts))
    try:
        return services.tokens.verify(token, audiences)
    except ArmError as error:
        message = "The provided authentication is not valid for this resource"
        raise QueryError(401, "InvalidTokenError", message, ("InvalidToken", error.message)) from error


def may_ask_component(
    services: Services, principal: Principal, component: Resource, request: Request
) -> None:
    """Raises QueryError 403."""
    _admit(services, component, "publicNetworkAccessForQuery", request)
    if not services.rbac.allows(principal.object_id, QUERY_COMPONENT, component.id.text):
        raise _insufficient()


def may_ask_workspace(
    services: Services, principal: Principal, workspace: Resource, request: Request
) -> None:
    """Raises QueryError 403: the right to ask, and the one to the tables, all of them."""
    _admit(services, workspace, "publicNetworkAccessForQuery", request)
    who, scope, rbac = principal.object_id, workspace.id.text, services.rbac
    reads = rbac.allows(who, TABLES, scope) or rbac.allows(who, DATA, scope, data=True)
    if not (reads and rbac.allows(who, QUERY_WORKSPACE, scope)):
        raise _insufficient()


def _admit(services: Services, resource: Resource, access: str, request: Request) -> None:
    public = resource.properties.get(access, "Enabled") != "Disabled"
    if refusal(services, resource, _GROUP, Rules(public=public), Connection.of(request)) is None:
        return
    if access.endswith("Ingestion"):
        raise Refused(403, "Access to this resource from a public network is disabled.")
    raise QueryError(403, "InsufficientAccessError", "Queries from a public network are disabled.")


def _insufficient() -> QueryError:
    return QueryError(
        403,
        "InsufficientAccessError",
        "The provided credentials have insufficient access to perform the requested operation",
    )
