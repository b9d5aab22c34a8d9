"""Handlers of the test types: one quick with actions and a refusal, one slow that waits at a gate."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sandbox.arm import progress
from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource


class Gate:
    """What the slow type waits for, and what it did."""

    current: ClassVar[Gate]

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.log: list[str] = []
        self.refuse_deletes: set[str] = set()


class Things(Handler):
    type = "Microsoft.Test/things"

    async def check(self, put: Put) -> None:
        if put.body.get("properties", {}).get("taken"):
            raise conflict("NameTaken", "The name is taken.")

    async def fill(self, put: Put) -> Body:
        before = put.previous.properties.get("count", 0) if put.previous else 0
        return {**put.body, "properties": {**put.body.get("properties", {}), "count": before + 1}}

    async def delete(self, resource: Resource) -> None:
        Gate.current.log.append(f"delete {resource.id.name}")
        if resource.id.name in Gate.current.refuse_deletes:
            raise conflict("InUse", f"{resource.id.name} is in use.")

    def actions(self) -> Mapping[str, Action]:
        return {"listKeys": self._keys}

    async def _keys(self, call: Call) -> Any:
        return {"keys": [call.resource.id.name, call.body.get("more")]}

    def operations(self) -> Sequence[Operation]:
        path = "/subscriptions/{subscription}/providers/Microsoft.Test/checkName"
        return (
            Operation("POST", path, "Microsoft.Test/checkName/action", self._check_name),
            Operation(
                "POST", path + "Slowly", "Microsoft.Test/x/action", self._check_name, long_running=True
            ),
        )

    async def _check_name(self, call: OperationCall) -> Answer:
        return Answer(body={"available": call.body.get("name") != "one"})


class Parts(Handler):
    type = "Microsoft.Test/things/parts"

    async def delete(self, resource: Resource) -> None:
        Gate.current.log.append(f"delete {resource.id.name}")
        if resource.id.name in Gate.current.refuse_deletes:
            raise conflict("InUse", f"{resource.id.name} is in use.")


class Slow(Handler):
    type = "Microsoft.Test/slow"
    long_running = True

    async def provision(self, resource: Resource) -> None:
        Gate.current.log.append(f"provision {resource.id.name}")
        progress.report(40, "waiting")
        await Gate.current.open.wait()
        if resource.properties.get("fails"):
            raise ArmError(409, "OutOfCapacity", "There is no more of it.")
        if resource.properties.get("breaks"):
            raise RuntimeError("a defect")
        resource.properties["endpoint"] = "https://one"

    async def delete(self, resource: Resource) -> None:
        Gate.current.log.append(f"delete {resource.id.name}")
        await Gate.current.open.wait()

    async def resume(self, resource: Resource) -> None:
        Gate.current.log.append(f"resume {resource.id.name}")


HANDLERS = (Things, Parts, Slow)
