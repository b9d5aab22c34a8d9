"""A small Azure Resource Manager in memory: strict bodies, asynchronous operations, failures on request."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.arm.errors import ArmError, conflict, not_found
from sandbox.engine.azure_native.arm_client import ArmClient
from sandbox.engine.azure_native.azure import Connections
from sandbox.engine.azure_native.settings import Settings
from sandbox.types import table
from sandbox.types.validate import validate

URL = "https://management.fake.test"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
#: {"oid": "o", "appid": "a", "tid": "t"}
TOKEN = "e30.eyJvaWQiOiAibyIsICJhcHBpZCI6ICJhIiwgInRpZCI6ICJ0In0.s"


@dataclass
class FakeArm:
    """Handles requests of an httpx.MockTransport."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: (method, path, body) of everything that was asked.
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    #: Polls an operation stays `InProgress`.
    polls: int = 2
    #: What Retry-After says, in seconds.
    wait: str = "0"
    #: Path (lower case) -> error with which its operation ends.
    broken: dict[str, ArmError] = field(default_factory=dict)
    #: Called before a PUT is looked at.
    before_put: Callable[[str], None] | None = None
    operations: dict[str, list[Any]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = json.loads(request.content) if request.content else None
        if request.method == "PUT" and self.before_put:
            self.before_put(path)
        with self.lock:
            self.requests.append((request.method, path, body))
            try:
                if path.startswith("/operations/"):
                    return self._operation(path)
                return getattr(self, f"_{request.method.lower()}")(path, body, request)
            except ArmError as error:
                return httpx.Response(error.status, json=error.body())

    def _get(self, path: str, _body: Any, _request: httpx.Request) -> httpx.Response:
        found = self.resources.get(path.lower())
        if found is None:
            raise not_found(path)
        return httpx.Response(200, json=found)

    def _put(self, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        row = table.by_id(path)
        assert row is not None, path
        old = self.resources.get(path.lower())
        validate(row.type, body, request.url.params["api-version"], old)
        segments = path.split("/")
        if "/providers/" in path and path.lower().startswith("/subscriptions") and not row.extension:
            group = "/".join(segments[:5]).lower()
            if group not in self.resources:
                raise ArmError(404, "ResourceGroupNotFound", f"no group '{segments[4]}'")
        stored = {"id": path, "name": segments[-1], "type": row.type, **body}
        if "properties" in body:
            stored["properties"] = {**body["properties"], "provisioningState": "Succeeded"}
        self.resources[path.lower()] = stored
        return self._accepted(path, row, stored, 200 if old else 201)

    def _accepted(self, path: str, row: table.ArmType, stored: Any, status: int) -> httpx.Response:
        if row.long_running == "azure-async-operation" or path.lower() in self.broken:
            name = f"/operations/{len(self.operations)}"
            self.operations[name] = [path, self.polls]
            headers = {"Azure-AsyncOperation": f"{URL}{name}", "Retry-After": self.wait}
            return httpx.Response(status, json=stored, headers=headers)
        if row.long_running == "location" and status == 202:
            return httpx.Response(202, headers={"Location": f"{URL}/operations/none"})
        return httpx.Response(status, json=stored)

    def _operation(self, path: str) -> httpx.Response:
        entry = self.operations[path]
        entry[1] -= 1
        if entry[1] > 0:
            return httpx.Response(200, json={"status": "InProgress"}, headers={"Retry-After": self.wait})
        error = self.broken.get(entry[0].lower())
        if error is not None:
            return httpx.Response(200, json={"status": "Failed", **error.body()})
        return httpx.Response(200, json={"status": "Succeeded"})

    def _delete(self, path: str, _body: Any, _request: httpx.Request) -> httpx.Response:
        below = [key for key in self.resources if key == path.lower() or key.startswith(path.lower() + "/")]
        if not below:
            return httpx.Response(204)
        row = table.by_id(path)
        if row is not None and row.type.endswith("/vaults") and path.lower() in self.broken:
            raise conflict("Locked", "the resource is locked")
        for key in below:
            del self.resources[key]
        return httpx.Response(200)

    def _post(self, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        resource, _, action = path.rpartition("/")
        if resource.lower() not in self.resources:
            raise not_found(resource)
        return httpx.Response(200, json={"action": action, "query": dict(request.url.params), "body": body})

    def bodies(self, method: str = "PUT") -> list[tuple[str, Any]]:
        return [(path, body) for verb, path, body in self.requests if verb == method]


class FakeTokens:
    """One token that never expires."""

    forgotten = 0

    def get(self, _audience: str | None = None) -> str:
        return TOKEN

    def forget(self) -> None:
        self.forgotten += 1


class FakeConnections(Connections):
    """Connects every provider instance to one fake."""

    def __init__(self, arm: FakeArm) -> None:
        super().__init__()
        self.tokens = FakeTokens()
        self._made = ArmClient(httpx.Client(transport=httpx.MockTransport(arm)), URL, self.tokens)  # type: ignore[arg-type]

    def client(self, _configured: Settings) -> ArmClient:
        return self._made
