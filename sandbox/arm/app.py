"""ARM as an ASGI app: authenticate, find what the path means, authorize, do it, answer in ARM's shapes."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.arm import preconditions
from sandbox.arm.activity import ACCEPTED, FAILED, SUCCEEDED, ActivityLog, Event
from sandbox.arm.catalogue import Catalogue
from sandbox.arm.directory import Directory
from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Call
from sandbox.arm.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, Path, parse, parse_id
from sandbox.arm.lifecycle import Handlers, Lifecycle, Outcome
from sandbox.arm.listing import filtered
from sandbox.arm.matching import Matcher
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.operations import Operations, internal
from sandbox.arm.request import Caller, api_version, read_body
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import SqliteStore
from sandbox.services import Rbac, Tokens

log = logging.getLogger(__name__)

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def action_of(type_name: str, verb: str) -> str:
    """The RBAC action of a verb on a type; groups are spelt below subscriptions there."""
    if type_name.lower() == GROUP_TYPE.lower():
        type_name = "Microsoft.Resources/subscriptions/resourceGroups"
    return f"{type_name}/{verb}"


class Arm:
    def __init__(
        self,
        *,
        store: SqliteStore,
        catalogue: Catalogue,
        handlers: Handlers,
        lifecycle: Lifecycle,
        operations: Operations,
        activity: ActivityLog,
        rbac: Rbac,
        tokens: Tokens,
        audiences: Sequence[str],
        authority: str,
        directory: Directory,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._handlers = handlers
        self._lifecycle = lifecycle
        self._operations = operations
        self._activity = activity
        self._rbac = rbac
        self._tokens = tokens
        self._audiences = audiences
        self._authority = authority
        declared = [operation for handler in handlers.all() for operation in handler.operations()]
        self._matcher = Matcher([*declared, *directory.operations()])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        correlation = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
        try:
            response = await self._answer(request, correlation)
        except ArmError as error:
            response = JSONResponse(error.body(), error.status, self._challenge(error))
        except Exception as error:  # a defect must answer in ARM's shape, with what is needed to find it
            log.exception("%s %s failed (correlation %s)", request.method, request.url.path, correlation)
            response = JSONResponse(internal(error).body(), 500)
        response.headers["x-ms-correlation-request-id"] = correlation
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        response.headers.setdefault("Cache-Control", "no-cache")
        await response(scope, receive, send)

    def _challenge(self, error: ArmError) -> dict[str, str]:
        if error.status != 401:
            return {}
        return {
            "WWW-Authenticate": f'Bearer authorization_uri="{self._authority}", error="invalid_token", '
            f'error_description="{error.message}"'
        }

    async def _answer(self, request: Request, correlation: str) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ArmError(
                401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        principal = self._tokens.verify(token.strip(), self._audiences)
        query = dict(request.query_params)
        caller = Caller(
            method=request.method,
            path=request.url.path,
            principal=principal,
            api_version=api_version(query),
            query=query,
            headers=request.headers,
            correlation_id=correlation,
        )
        base = f"{request.url.scheme}://{request.url.netloc}"
        found = self._matcher.find(caller.method, caller.path)
        if found is not None:
            return await self._operation(*found, caller, await read_body(request), base)
        path = parse(caller.path)
        if caller.method in ("GET", "HEAD"):
            return await self._read(path, caller)
        if caller.method == "POST":
            return await self._act(path, caller, await read_body(request))
        if caller.method not in _VERBS or not path.is_resource:
            raise _no_method(caller)
        return await self._write(path.id, caller, await read_body(request), base)

    async def _read(self, path: Path, caller: Caller) -> Response:
        info = self._catalogue.require(path.type, caller.api_version)
        action = action_of(info.name, "read")
        if not path.is_resource:
            return await self._list(path, caller, action)
        self._rbac.require(caller.principal, action, path.text)
        preconditions.require_ancestors(self._store, path.id, "read")
        resource = self._store.get(path.id)
        if caller.method == "HEAD":
            return Response(status_code=404 if resource is None else 204)
        if resource is None:
            raise preconditions.missing(path.id)
        return JSONResponse(await self._view(resource), headers=_etag(resource))

    async def _list(self, path: Path, caller: Caller, action: str) -> Response:
        scope = path.owner.text if path.owner else "/"
        self._rbac.require(caller.principal, action, scope)
        if path.owner is not None and self._store.get(path.owner) is None:
            preconditions.require_ancestors(self._store, path.owner, "read")
            raise preconditions.missing(path.owner)
        found = self._store.list(type=path.type, under=scope)
        values = [await self._view(resource) for resource in filtered(found, caller.query)]
        return JSONResponse({"value": values})

    async def _write(self, id: ResourceId, caller: Caller, body: Body, base: str) -> Response:  # noqa: A002
        info = self._catalogue.require(id.type, caller.api_version)
        action = action_of(info.name, _VERBS[caller.method])
        event = Event(action, id, caller.principal, SUCCEEDED, 200, caller.correlation_id)
        try:
            self._rbac.require(caller.principal, action, id.text)
            if caller.method == "PUT":
                outcome = await self._lifecycle.put(id, body, caller, info)
            elif caller.method == "PATCH":
                outcome = await self._lifecycle.patch(id, body, caller, info)
            else:
                preconditions.require_ancestors(self._store, id, "delete")
                outcome = await self._lifecycle.delete(id, caller)
        except ArmError as error:
            self._activity.record(
                replace(event, status=FAILED, http_status=error.status, message=f"{error.code}: {error.message}")
            )
            raise
        self._record(event, outcome)
        headers = self._polling(id, outcome, caller, base)
        if outcome.resource is None or outcome.status == 202 and caller.method == "DELETE":
            return Response(status_code=outcome.status, headers=headers)
        headers |= _etag(outcome.resource)
        return JSONResponse(await self._view(outcome.resource), outcome.status, headers)

    def _record(self, event: Event, outcome: Outcome) -> None:
        if outcome.operation is None:
            self._activity.record(replace(event, http_status=outcome.status))
            return
        self._activity.record(replace(event, status=ACCEPTED, http_status=outcome.status))

        def ended(error: ArmError | None) -> None:
            if error is None:
                self._activity.record(event)
            else:
                self._activity.record(
                    replace(event, status=FAILED, http_status=error.status, message=f"{error.code}: {error.message}")
                )

        self._operations.when_done(outcome.operation, ended)

    def _polling(self, id: ResourceId, outcome: Outcome, caller: Caller, base: str) -> dict[str, str]:  # noqa: A002
        if outcome.operation is None:
            return {}
        location = (outcome.resource.location if outcome.resource else None) or "westeurope"
        root = f"{base}/subscriptions/{id.subscription}/providers/{id.type.partition('/')[0]}/locations/{location}"
        query = f"{outcome.operation}?api-version={caller.api_version}"
        return {
            "Azure-AsyncOperation": f"{root}/operationStatuses/{query}",
            "Location": f"{root}/operationResults/{query}",
            "Retry-After": "1",
        }

    async def _act(self, path: Path, caller: Caller, body: Body) -> Response:
        owner = path.owner
        if path.is_resource or owner is None or owner.type in (GROUP_TYPE, SUBSCRIPTION_TYPE):
            raise _no_method(caller)
        name = path.types[-1]
        info = self._catalogue.require(owner.type, caller.api_version)
        self._rbac.require(caller.principal, f"{info.name}/{name}/action", owner.text)
        preconditions.require_ancestors(self._store, owner, "action")
        resource = self._store.get(owner)
        if resource is None:
            raise preconditions.missing(owner)
        actions = {key.lower(): action for key, action in self._handlers.of(owner.type).actions().items()}
        action = actions.get(name.lower())
        if action is None:
            raise ArmError(
                404, "InvalidResourceAction", f"The type '{info.name}' has no action '{name}'. It has: {', '.join(actions) or 'none'}."
            )
        answer = await action(Call(resource, body, caller.principal, caller.api_version, caller.query))
        return _respond(answer if isinstance(answer, (Answer, Response)) else Answer(body=answer))

    async def _operation(
        self, operation: Operation, parameters: Mapping[str, str], caller: Caller, body: Body, base: str
    ) -> Response:
        path = parse_scope(caller.path, parameters)
        if operation.action:
            self._rbac.require(caller.principal, operation.action, path)
        call = OperationCall(parameters, caller.query, body, caller.principal, caller.api_version)
        if not operation.long_running:
            return _respond(await operation.run(call))

        async def work() -> Any:
            return (await operation.run(call)).body

        number = self._operations.begin(caller.path.lower(), "action")
        self._operations.run(number, work)
        outcome = Outcome(202, None, number)
        return Response(status_code=202, headers=self._polling(parse(caller.path).id if False else parse_id(path), outcome, caller, base))

    async def _view(self, resource: Resource) -> Body:
        return await self._handlers.of(resource.id.type).view(resource)


def parse_scope(path: str, parameters: Mapping[str, str]) -> str:
    """Where an operation is authorized: its `scope` parameter, else the group or subscription in its path."""
    if "scope" in parameters:
        return "/" + parameters["scope"].strip("/")
    parts = path.strip("/").split("/")
    keep = 4 if len(parts) > 3 and parts[2].lower() == "resourcegroups" else 2
    return "/" + "/".join(parts[:keep]) if parts[0].lower() == "subscriptions" else "/"


def _etag(resource: Resource) -> dict[str, str]:
    etag = resource.body.get("etag")
    return {"ETag": etag} if isinstance(etag, str) else {}


def _respond(answer: Answer | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer.body is None:
        return Response(status_code=204 if answer.status == 200 else answer.status, headers=dict(answer.headers))
    return JSONResponse(answer.body, answer.status, dict(answer.headers))


def _no_method(caller: Caller) -> ArmError:
    return ArmError(
        405, "MethodNotAllowed", f"The requested resource '{caller.path}' does not support http method '{caller.method}'."
    )
