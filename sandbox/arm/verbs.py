"""What the methods do to resources and collections: authorize, act, record, answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.arm import preconditions
from sandbox.arm.activity import ACCEPTED, FAILED, SUCCEEDED, ActivityLog, Event
from sandbox.arm.answers import etag, polling, respond
from sandbox.arm.catalogue import Catalogue, TypeInfo
from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Call
from sandbox.arm.handlers import Handlers
from sandbox.arm.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, Path, parse_id
from sandbox.arm.lifecycle import Lifecycle, Outcome
from sandbox.arm.listing import filtered
from sandbox.arm.locks import require_unlocked
from sandbox.arm.operation import Operation, OperationCall
from sandbox.arm.operations import Operations
from sandbox.arm.registrations import Registrations
from sandbox.arm.request import Caller
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import SqliteStore
from sandbox.outages.homes import Homes
from sandbox.services import Rbac

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def action_of(type_name: str, verb: str) -> str:
    """The RBAC action of a verb on a type; groups are spelt below subscriptions there."""
    if type_name.lower() == GROUP_TYPE.lower():
        type_name = "Microsoft.Resources/subscriptions/resourceGroups"
    return f"{type_name}/{verb}"


def no_method(caller: Caller) -> ArmError:
    return ArmError(
        405,
        "MethodNotAllowed",
        f"The requested resource '{caller.path}' does not support http method '{caller.method}'.",
    )


class Verbs:
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
        registrations: Registrations,
        homes: Homes,
    ) -> None:
        self._registrations = registrations
        self._homes = homes
        self._store = store
        self._catalogue = catalogue
        self._handlers = handlers
        self._lifecycle = lifecycle
        self._operations = operations
        self._activity = activity
        self._rbac = rbac

    async def read(self, path: Path, caller: Caller) -> Response:
        info = self._catalogue.require(path.type, caller.api_version)
        action = action_of(info.name, "read")
        if not path.is_resource:
            return await self._list(path, caller, action)
        self._rbac.require(caller.principal, action, path.text)
        self._homes.require(path.id)
        if caller.method == "HEAD":
            return Response(status_code=404 if self._store.get(path.id) is None else 204)
        resource = self._existing(path.id, "read")
        return JSONResponse(await self._handlers.view(resource), headers=etag(resource))

    async def _list(self, path: Path, caller: Caller, action: str) -> Response:
        scope = path.owner.text if path.owner else "/"
        self._rbac.require(caller.principal, action, scope)
        if path.owner is not None:
            self._existing(path.owner, "read")
        self._homes.require_collection(path)
        found = self._store.list(type=path.type, under=scope)
        values = [await self._handlers.view(resource) for resource in filtered(found, caller.query)]
        return JSONResponse({"value": values})

    async def write(self, id: ResourceId, caller: Caller, body: Body) -> Response:  # noqa: A002
        """PUT, PATCH, DELETE: recorded in the activity log however they end."""
        info = self._catalogue.require(id.type, caller.api_version)
        action = action_of(info.name, _VERBS[caller.method])
        event = Event(action, id, caller.principal, SUCCEEDED, 200, caller.correlation_id)
        try:
            self._rbac.require(caller.principal, action, id.text)
            self._homes.require(id, body)
            outcome = await self._change(id, caller, body, info)
        except ArmError as error:
            self._fail(event, error)
            raise
        self._record(event, outcome)
        headers = self._polling(id.text, outcome.resource, outcome.operation, caller)
        if outcome.resource is None or (caller.method == "DELETE" and outcome.status == 202):
            return Response(status_code=outcome.status, headers=headers)
        headers |= etag(outcome.resource)
        return JSONResponse(await self._handlers.view(outcome.resource), outcome.status, headers)

    async def _change(self, id: ResourceId, caller: Caller, body: Body, info: TypeInfo) -> Outcome:  # noqa: A002
        require_unlocked(self._store, id, _VERBS[caller.method])
        if caller.method == "PUT":
            self._registrations.require(info.namespace)
            return await self._lifecycle.put(id, body, caller, info)
        if caller.method == "PATCH":
            return await self._lifecycle.patch(id, body, caller, info)
        preconditions.require_ancestors(self._store, id, "delete")
        return await self._lifecycle.delete(id, caller)

    async def act(self, path: Path, caller: Caller, body: Body) -> Response:
        """POST of an action on a resource."""
        owner = None if path.is_resource else path.owner
        if owner is None or owner.type in (GROUP_TYPE, SUBSCRIPTION_TYPE):
            raise no_method(caller)
        name = path.types[-1]
        info = self._catalogue.require(owner.type, caller.api_version)
        actions = self._handlers.of(owner.type).actions()
        spelt = next((known for known in actions if known.lower() == name.lower()), name)
        event = Event(
            f"{info.name}/{spelt}/action", owner, caller.principal, SUCCEEDED, 200, caller.correlation_id
        )
        try:
            self._rbac.require(caller.principal, event.action, owner.text)
            resource = self._existing(owner, "action")
            self._homes.require(owner)
            require_unlocked(self._store, owner, "action")
            if spelt not in actions:
                raise _no_action(info, name, actions)
            call = Call(resource, body, caller.principal, caller.api_version, caller.query, caller.headers)
            response = respond(await actions[spelt](call))
        except ArmError as error:
            self._fail(event, error)
            raise
        self._activity.record(replace(event, http_status=response.status_code))
        return response

    async def operate(
        self, operation: Operation, parameters: Mapping[str, str], caller: Caller, body: Body
    ) -> Response:
        """An operation that a handler, or ARM itself, declared."""
        scope = _scope(caller.path, parameters)
        if caller.method == "GET" or scope == "/":
            return await self._operate(operation, parameters, caller, body, scope)
        event = Event(
            operation.action, parse_id(scope), caller.principal, SUCCEEDED, 200, caller.correlation_id
        )
        try:
            response = await self._operate(operation, parameters, caller, body, scope)
        except ArmError as error:
            self._fail(event, error)
            raise
        self._activity.record(replace(event, http_status=response.status_code))
        return response

    async def _operate(
        self, operation: Operation, parameters: Mapping[str, str], caller: Caller, body: Body, scope: str
    ) -> Response:
        if operation.action:
            self._rbac.require(caller.principal, operation.action, scope)
        self._homes.require_operation(caller.path, parameters)
        call = OperationCall(parameters, caller.query, body, caller.principal, caller.api_version)
        if not operation.long_running:
            return respond(await operation.run(call))

        async def work() -> Any:
            return (await operation.run(call)).body

        number = self._operations.begin(caller.path.lower(), "action")
        self._operations.run(number, work)
        return Response(status_code=202, headers=self._polling(caller.path, None, number, caller))

    def _existing(self, id: ResourceId, action: str) -> Resource:  # noqa: A002
        resource = self._store.get(id)
        if resource is None:
            preconditions.require_ancestors(self._store, id, action)
            raise preconditions.missing(id)
        return resource

    def _polling(
        self, path: str, resource: Resource | None, operation: str | None, caller: Caller
    ) -> dict[str, str]:
        if operation is None:
            return {}
        location = resource.location if resource is not None else None
        return polling(caller.base, path, location, operation, caller.api_version)

    def _record(self, event: Event, outcome: Outcome) -> None:
        if outcome.operation is None:
            self._activity.record(replace(event, http_status=outcome.status))
            return
        self._activity.record(replace(event, status=ACCEPTED, http_status=outcome.status))

        def ended(error: ArmError | None) -> None:
            if error is None:
                self._activity.record(event)
            else:
                self._fail(event, error)

        self._operations.when_done(outcome.operation, ended)

    def _fail(self, event: Event, error: ArmError) -> None:
        message = f"{error.code}: {error.message}"
        self._activity.record(replace(event, status=FAILED, http_status=error.status, message=message))


def _no_action(info: TypeInfo, name: str, actions: Iterable[str]) -> ArmError:
    known = ", ".join(actions) or "none"
    return ArmError(
        404, "InvalidResourceAction", f"The type '{info.name}' has no action '{name}'; it has: {known}."
    )


def _scope(path: str, parameters: Mapping[str, str]) -> str:
    """Where an operation is authorized: its `scope` parameter, else the group or subscription in its path."""
    if "scope" in parameters:
        return "/" + parameters["scope"].strip("/")
    parts = path.strip("/").split("/")
    if parts[0].lower() != "subscriptions":
        return "/"
    in_group = len(parts) > 3 and parts[2].lower() == "resourcegroups"
    return "/" + "/".join(parts[: 4 if in_group else 2])
