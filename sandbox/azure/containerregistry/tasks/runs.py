"""Runs of the registries: scheduling, the queue, and what ARM answers about them.

Runs are no resources that somebody declared, so they are kept with their registry, not among ARM's.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Any

from sandbox.arm.errors import not_found
from sandbox.arm.handler import Call
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Resource
from sandbox.azure.containerregistry import naming
from sandbox.azure.containerregistry.folder import Folder
from sandbox.azure.containerregistry.tasks import agent_pools, request
from sandbox.azure.containerregistry.tasks.queue import Queue
from sandbox.azure.containerregistry.tasks.run import Run, RunFiles
from sandbox.azure.containerregistry.tasks.storage import TaskStorage
from sandbox.azure.dataplane import find
from sandbox.services import Services

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_REGISTRY = f"{_GROUP}/providers/Microsoft.ContainerRegistry/registries/{{registry}}"
_RIGHTS = "Microsoft.ContainerRegistry/registries/runs"


class Runs:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._storage = TaskStorage(services.config, services.names)
        self._queue = Queue(services.config, self._storage, self._refused)

    @classmethod
    def of(cls, services: Services) -> Runs:
        """The one instance that belongs to these services."""
        # Kept alive by the instance, so that its id is not another's later.
        known = _instances.get(id(services))
        if known is None:
            known = _instances[id(services)] = cls(services)
        return known

    # Actions on a registry.

    async def upload_url(self, call: Call) -> dict[str, str]:
        name = call.resource.id.name.lower()
        blob = f"source/{time.strftime('%Y%m%d%H%M', time.gmtime())}/{uuid.uuid4().hex}.tar.gz"
        self._storage.file(name, "source").mkdir(parents=True, exist_ok=True)
        return {"uploadUrl": self._storage.url(name, blob, "cw"), "relativePath": blob}

    async def schedule(self, call: Call) -> dict[str, Any]:
        registry = call.resource
        login_server = naming.login_server(self._services.names, registry.id.name)
        files = self._files(registry.id.name)
        run_id = files.next_id()
        build = request.build(call.body, login_server, run_id)
        if build.agent_pool:
            agent_pools.find(self._services, registry, build.agent_pool)
        run = Run(run_id, registry.id.name.lower(), login_server, build)
        files.save(run)
        self._queue.add(run)
        return run.wire(str(registry.id))

    # Runs themselves.

    def operations(self) -> Sequence[Operation]:
        runs = f"{_REGISTRY}/runs"
        return (
            Operation("GET", runs, f"{_RIGHTS}/read", self._list),
            Operation("GET", f"{runs}/{{run}}", f"{_RIGHTS}/read", self._get),
            Operation(
                "POST", f"{runs}/{{run}}/listLogSasUrl", f"{_RIGHTS}/listLogSasUrl/action", self._log_url
            ),
            Operation("POST", f"{runs}/{{run}}/cancel", f"{_RIGHTS}/cancel/action", self._cancel),
        )

    def _refused(self, run: Run) -> str | None:
        registry = find(self._services.store, naming.TYPE, run.registry)
        return agent_pools.refused(self._services, registry, run.build.agent_pool) if registry else None

    def _files(self, registry: str) -> RunFiles:
        return RunFiles(Folder.of(self._services.config, registry))

    def _registry(self, call: OperationCall) -> Resource:
        id_text = _REGISTRY.format(**call.parameters)
        registry = self._services.store.get(id_text)
        if registry is None:
            raise not_found(id_text)
        return registry

    def _run(self, call: OperationCall) -> tuple[Resource, Run]:
        registry = self._registry(call)
        run = self._files(registry.id.name).get(call.parameters["run"])
        if run is None:
            raise not_found(f"{registry.id}/runs/{call.parameters['run']}")
        return registry, run

    async def _list(self, call: OperationCall) -> Answer:
        registry = self._registry(call)
        runs = await asyncio.to_thread(self._files(registry.id.name).all)
        top = int(call.query.get("$top", len(runs)))
        return Answer(body={"value": [run.wire(str(registry.id)) for run in runs[:top]]})

    async def _get(self, call: OperationCall) -> Answer:
        registry, run = self._run(call)
        return Answer(body=run.wire(str(registry.id)))

    async def _log_url(self, call: OperationCall) -> Answer:
        registry, run = self._run(call)
        return Answer(body={"logLink": self._storage.url(registry.id.name, f"logs/{run.id}.log", "r")})

    async def _cancel(self, call: OperationCall) -> Answer:
        _, run = self._run(call)
        await self._queue.cancel(run)
        return Answer()

    # The registry's life.

    def prepare(self) -> None:
        """A registry is there, so builds are to be expected."""
        self._queue.prepare()

    def resume(self, registry: Resource) -> None:
        """Queue again what a stop of the sandbox cut off; a build can be repeated."""
        for run in reversed(self._files(registry.id.name).all()):
            if not run.done:
                self._queue.add(run)

    async def forget(self, registry: Resource) -> None:
        """End what still builds for a registry that goes away."""
        for run in self._files(registry.id.name).all():
            if not run.done:
                await self._queue.cancel(run)

    async def stop(self) -> None:
        await self._queue.stop()


_instances: dict[int, Runs] = {}
