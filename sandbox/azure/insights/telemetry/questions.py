"""The query API: `/v1/apps/{application id}/query` of Application Insights and `/v1/workspaces/{id}/query` of
Log Analytics, with GET or POST.

https://learn.microsoft.com/azure/azure-monitor/logs/api/request-format
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.azure.dataplane import json_object
from sandbox.azure.insights.telemetry import access, naming, timespans
from sandbox.azure.insights.telemetry.errors import QueryError, bad_argument
from sandbox.azure.insights.telemetry.kql import Answer, QuestionError
from sandbox.azure.insights.telemetry.warehouse import Scope, Warehouse
from sandbox.services import Services

_APPLICATIONS, _WORKSPACES = "https://api.applicationinsights.io", "https://api.loganalytics.io"


async def _refuse(request: Request, error: Exception) -> Response:
    """Paths and methods that are not served, and what the planes refuse."""
    if isinstance(error, QueryError):
        return error.response()
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"The requested path does not exist: {request.method} {request.url.path}"
    return QueryError(status, "PathNotFoundError", message).response()


@dataclass(frozen=True)
class Questions:
    services: Services
    warehouse: Warehouse

    def applications(self) -> Starlette:
        return _app("/v1/apps/{id}/query", self._application)

    def workspaces(self) -> Starlette:
        return _app("/v1/workspaces/{id}/query", self._workspace)

    async def _application(self, request: Request) -> Response:
        services = self.services
        hosts = naming.application_hosts(services.names)
        principal = access.caller(services, request, hosts, _APPLICATIONS)
        component = naming.component_with(services.store, "AppId", request.path_params["id"])
        if component is None:
            raise QueryError(404, "ApplicationNotFoundError", "The application could not be found")
        access.may_ask_component(services, principal, component, request)
        question, between = await _question(request)
        return await self._answer(question, Scope.component(component.id.key, *between))

    async def _workspace(self, request: Request) -> Response:
        services = self.services
        hosts = naming.workspace_hosts(services.names)
        principal = access.caller(services, request, hosts, _WORKSPACES)
        workspace = naming.workspace_with(services.store, request.path_params["id"])
        if workspace is None:
            raise QueryError(404, "WorkspaceNotFoundError", "The workspace could not be found")
        access.may_ask_workspace(services, principal, workspace, request)
        question, between = await _question(request)
        return await self._answer(question, Scope.workspace(workspace.id.key, *between))

    async def _answer(self, question: str, scope: Scope) -> Response:
        try:
            answer = await asyncio.to_thread(self.warehouse.ask, question, scope)
        except QuestionError as error:
            if error.unsupported:
                raise QueryError(501, "NotImplemented", str(error)) from error
            raise bad_argument("SemanticError", str(error)) from error
        return JSONResponse({"tables": [_table(answer)]})


def _app(path: str, endpoint: Any) -> Starlette:
    return Starlette(
        routes=[Route(path, endpoint, methods=["GET", "POST"])],
        exception_handlers={QueryError: _refuse, HTTPException: _refuse},
    )


async def _question(request: Request) -> tuple[str, timespans.Between]:
    given: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        try:
            given |= await json_object(request)
        except ValueError as error:
            raise bad_argument("MalformedBody", str(error)) from error
    question = given.get("query")
    if not isinstance(question, str) or not question.strip():
        raise bad_argument("QueryMissing", "The 'query' is required, a text in KQL.")
    if given.get("applications") or given.get("workspaces"):
        message = "The sandbox asks one resource at a time: no further 'applications' or 'workspaces'."
        raise QueryError(501, "NotImplemented", message)
    timespan = given.get("timespan")
    try:
        return question, timespans.parse(None if timespan is None else str(timespan), datetime.now(UTC))
    except ValueError as error:
        raise bad_argument("InvalidTimespan", f"'{timespan}': {error}") from error


def _table(answer: Answer) -> dict[str, Any]:
    columns = [{"name": name, "type": kind} for name, kind in answer.columns]
    return {"name": "PrimaryResult", "columns": columns, "rows": answer.rows}
