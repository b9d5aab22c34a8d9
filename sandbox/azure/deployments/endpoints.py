"""Requests about deployments that are no PUT, GET or DELETE of one: validation and lists of operations."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import timestamp
from sandbox.azure.deployments import request
from sandbox.azure.deployments.prepared import prepare, require_rights
from sandbox.azure.deployments.problems import not_here
from sandbox.azure.deployments.records import duration
from sandbox.services import Services

_PROVIDER = "providers/Microsoft.Resources/deployments"
_SUBSCRIPTION = f"/subscriptions/{{subscription}}/{_PROVIDER}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/{_PROVIDER}/{{name}}"
#: Where operations are: the SDKs ask for them by a path that names no provider.
_OPERATIONS = (f"{_ONE}/operations", f"{_GROUP}/deployments/{{name}}/operations")


class Endpoints:
    """`type` is that of deployments; `records` is where one's stored body has its operations."""

    def __init__(self, services: Services, type: str, records: str) -> None:  # noqa: A002
        self._services = services
        self._type = type
        self._records = records

    def operations(self) -> Sequence[Operation]:
        read = f"{self._type}/operations/read"
        return (
            Operation("GET", _SUBSCRIPTION, f"{self._type}/read", self._none),
            Operation("POST", f"{_ONE}/validate", f"{self._type}/validate/action", self._validate),
            Operation("POST", f"{_ONE}/whatIf", f"{self._type}/whatIf/action", self._what_if),
            *(Operation("GET", path, read, self._list) for path in _OPERATIONS),
            *(Operation("GET", f"{path}/{{operation}}", read, self._get) for path in _OPERATIONS),
        )

    async def _none(self, _call: OperationCall) -> Answer:
        """Deployments to the subscription itself: there are none, only those to its groups."""
        return Answer(body={"value": []})

    async def _validate(self, call: OperationCall) -> Answer:
        """What a PUT would refuse at once is refused, and nothing is deployed."""
        id = _id(call)  # noqa: A001
        prepared = prepare(id, request.read(id, call.body), self._services.store)
        require_rights(prepared, call.principal, self._services.rbac)
        properties: Body = {
            **prepared.shown(),
            "provisioningState": "Succeeded",
            "correlationId": str(uuid.uuid4()),
            "timestamp": timestamp(time.time()),
            "duration": duration(0),
            "validatedResources": prepared.resources(),
        }
        return Answer(body={"id": id.text, "name": id.name, "type": self._type, "properties": properties})

    async def _what_if(self, _call: OperationCall) -> Answer:
        raise not_here("'what-if'; `validate` tells whether a template would be taken")

    async def _list(self, call: OperationCall) -> Answer:
        return Answer(body={"value": self._deployment(call).body[self._records]})

    async def _get(self, call: OperationCall) -> Answer:
        wanted = call.parameters["operation"].upper()
        for record in self._deployment(call).body[self._records]:
            if record["operationId"] == wanted:
                return Answer(body=record)
        raise ArmError(
            404, "DeploymentOperationNotFound", f"Deployment operation '{wanted}' could not be found."
        )

    def _deployment(self, call: OperationCall) -> Resource:
        id = _id(call)  # noqa: A001
        found = self._services.store.get(id)
        if found is None:
            raise missing(id)
        return found


def _id(call: OperationCall) -> ResourceId:
    values = call.parameters
    scope = f"/subscriptions/{values['subscription']}/resourceGroups/{values['group']}"
    return parse_id(f"{scope}/{_PROVIDER}/{values['name']}")
