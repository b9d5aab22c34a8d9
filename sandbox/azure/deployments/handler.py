"""`Microsoft.Resources/deployments` at resource groups: a PUT deploys a template, a DELETE forgets it.

What a deployment needs to be begun again after a kill (template, parameters with their secrets, who deploys)
is kept sealed in its stored body, which no answer shows. Beginning again is safe: every resource is PUT as it
was before. https://learn.microsoft.com/rest/api/resources/deployments
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Mapping, Sequence

from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.operation import Operation
from sandbox.arm.resource import Body, Resource
from sandbox.arm.store import timestamp
from sandbox.azure.deployments import endpoints, outputs, request
from sandbox.azure.deployments.client import Client
from sandbox.azure.deployments.prepared import Prepared, prepare, require_rights
from sandbox.azure.deployments.records import Record, duration
from sandbox.azure.deployments.request import Request
from sandbox.azure.deployments.run import Run
from sandbox.azure.sealing import seal
from sandbox.services import Services

#: Parts of the stored body that no GET of the deployment shows.
_SEALED, _RECORDS = "sealed", "operations"
#: The core's states while it works, which deployments call otherwise.
_WORKING = ("Creating", "Updating")
_CANCELED = "DeploymentCanceled"


class DeploymentHandler(Handler):
    type = "Microsoft.Resources/deployments"
    long_running = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        #: The work of each deployment that is running, by its id's key.
        self._running: dict[str, asyncio.Task[None]] = {}

    def operations(self) -> Sequence[Operation]:
        return endpoints.Endpoints(self.services, self.type, _RECORDS).operations()

    def actions(self) -> Mapping[str, Action]:
        return {"cancel": self._cancel, "exportTemplate": self._export}

    def patch(self, body: Body) -> Body:
        del body
        raise ArmError(405, "MethodNotAllowed", "A deployment is changed by a PUT of it, not by a PATCH.")

    async def check(self, put: Put) -> None:
        require_rights(self._prepared(put), put.principal, self.services.rbac)

    async def fill(self, put: Put) -> Body:
        prepared = self._prepared(put)
        secret = {"principal": put.principal.object_id, "request": prepared.request.to_json()}
        sealed = seal(self.services.config.state).close(json.dumps(secret).encode(), put.id.key)
        body: Body = {
            "properties": {
                **prepared.shown(),
                "correlationId": put.correlation_id,
                "timestamp": timestamp(time.time()),
                "duration": duration(0),
            },
            _SEALED: base64.b64encode(sealed).decode(),
            _RECORDS: [],
        }
        return {**body, "tags": put.body["tags"]} if put.body.get("tags") else body

    async def provision(self, resource: Resource) -> None:
        work = asyncio.create_task(self._deploy(resource))
        self._running[resource.id.key] = work
        try:
            await asyncio.wait({work})
            _require_done(work)
        except ArmError as error:
            failure = _failure(error, resource)
            resource.properties["error"] = failure.body()["error"]
            raise failure from error
        finally:
            work.cancel()
            del self._running[resource.id.key]
            now = time.time()
            resource.properties["timestamp"] = timestamp(now)
            resource.properties["duration"] = duration(now - resource.changed_at)

    async def _deploy(self, resource: Resource) -> None:
        principal, asked = self._opened(resource)
        # Of an interrupted run, what it did is told again.
        resource.body[_RECORDS] = []

        def tell(record: Record) -> None:
            resource.body[_RECORDS].append(record.wire(resource.id.text))
            self.services.store.save(resource)

        prepared = prepare(resource.id, asked, self.services.store)
        client = Client(self.services, principal, str(resource.properties["correlationId"]))
        await Run(prepared.steps, prepared.template.functions, client, tell).all()
        resource.properties["outputs"] = await outputs.evaluated(
            prepared.template.outputs, prepared.template.functions, prepared.items, client
        )
        resource.properties["outputResources"] = prepared.resources()

    async def view(self, resource: Resource) -> Body:
        shown = {name: item for name, item in resource.wire().items() if name not in (_SEALED, _RECORDS)}
        if resource.properties.get("provisioningState") in _WORKING:
            shown["properties"] = {**resource.properties, "provisioningState": "Running"}
        elif (resource.properties.get("error") or {}).get("code") == _CANCELED:
            shown["properties"] = {**resource.properties, "provisioningState": "Canceled"}
        return shown

    async def check_delete(self, resource: Resource) -> None:
        if resource.properties.get("provisioningState") in _WORKING:
            raise conflict(
                "DeploymentActive",
                f"The deployment '{resource.id.name}' is running and cannot be deleted; wait until it has "
                "ended.",
            )

    async def _cancel(self, call: Call) -> None:
        """Begin no more resources; those under way go on. Answers as soon as that is so."""
        work = self._running.get(call.resource.id.key)
        if work is None:
            raise conflict(
                "DeploymentCannotBeCancelled",
                f"The deployment '{call.resource.id.name}' is not running and cannot be canceled.",
            )
        work.cancel()
        await asyncio.wait({work})

    async def _export(self, call: Call) -> Body:
        _, asked = self._opened(call.resource)
        return {"template": asked.template}

    def _prepared(self, put: Put) -> Prepared:
        return prepare(put.id, request.read(put.id, put.body), self.services.store)

    def _opened(self, resource: Resource) -> tuple[str, Request]:
        """Who deploys (an object id), and what."""
        sealed = base64.b64decode(resource.body[_SEALED])
        secret = json.loads(seal(self.services.config.state).open(sealed, resource.id.key))
        return str(secret["principal"]), Request.from_json(secret["request"])


def _require_done(work: asyncio.Task[None]) -> None:
    """Raises what ended the work, if it did not end well."""
    if work.cancelled():
        raise ArmError(409, _CANCELED, "The deployment was canceled.")
    work.result()


def _failure(error: ArmError, resource: Resource) -> ArmError:
    """A deployment's failure has the deployment as its target, and a resource's error as a detail."""
    if error.code == "DeploymentFailed":
        return ArmError(error.status, error.code, error.message, resource.id.text, error.details)
    return ArmError(error.status, error.code, error.message, error.target or resource.id.text, error.details)
