"""`restorableDatabaseAccounts`: what can be restored, asked of Resource Manager. Nothing here is stored.

https://learn.microsoft.com/azure/cosmos-db/continuous-backup-restore-permissions names the actions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Handler
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.regions import normalise
from sandbox.azure.documentdb import naming, restorable_wire
from sandbox.azure.documentdb.restorable import Restorable, find, restorables
from sandbox.azure.documentdb.restore_request import moment
from sandbox.azure.documentdb.snapshot import as_of

_SUBSCRIPTION = "/subscriptions/{subscription}/providers/Microsoft.DocumentDB"
_READ = f"{naming.RESTORABLE}/read"


class RestorableAccountHandler(Handler):
    type = naming.RESTORABLE

    def operations(self) -> Sequence[Operation]:
        located = f"{_SUBSCRIPTION}/locations/{{location}}/restorableDatabaseAccounts"
        one = f"{located}/{{instance}}"
        below = (
            (restorable_wire.DATABASES, self._databases),
            (restorable_wire.CONTAINERS, self._containers),
            (restorable_wire.RESOURCES, self._resources),
        )
        return (
            Operation("GET", f"{_SUBSCRIPTION}/restorableDatabaseAccounts", _READ, self._list),
            Operation("GET", located, _READ, self._list),
            Operation("GET", one, _READ, self._get),
            *(
                Operation("GET", f"{one}/{kind}", f"{naming.RESTORABLE}/{kind}/read", run)
                for kind, run in below
            ),
        )

    async def _list(self, call: OperationCall) -> Answer:
        location = call.parameters.get("location")
        found = await asyncio.to_thread(
            lambda: list(restorables(self.services, call.parameters["subscription"]))
        )
        return _values(
            [
                restorable_wire.account(one)
                for one in found
                if location is None or one.region == normalise(location)
            ]
        )

    async def _get(self, call: OperationCall) -> Answer:
        return Answer(body=restorable_wire.account(await self._find(call)))

    async def _databases(self, call: OperationCall) -> Answer:
        return _values(restorable_wire.databases(await self._find(call)))

    async def _containers(self, call: OperationCall) -> Answer:
        source = await self._find(call)
        database = call.query.get("restorableSqlDatabaseRid")
        start, end = _moment(call, "startTime"), _moment(call, "endTime")
        return _values(restorable_wire.containers(source, database, start, end))

    async def _resources(self, call: OperationCall) -> Answer:
        source = await self._find(call)
        asked = _moment(call, "restoreTimestampInUtc")
        at = source.latest if asked is None else asked
        location = call.query.get("restoreLocation")
        if not source.oldest <= at <= source.latest or (location and not source.present(location, at)):
            return _values([])
        return _values(restorable_wire.resources(source, as_of(source.events, at)))

    async def _find(self, call: OperationCall) -> Restorable:
        parameters = call.parameters
        source = await asyncio.to_thread(
            find, self.services, parameters["subscription"], parameters["instance"]
        )
        if source is None or source.region != normalise(parameters["location"]):
            raise ArmError(
                404,
                "NotFound",
                f"There is no restorable database account with the instance id '{parameters['instance']}' in "
                f"'{parameters['location']}'.",
            )
        return source


def _values(values: list[Any]) -> Answer:
    return Answer(body={"value": values})


def _moment(call: OperationCall, name: str) -> int | None:
    return moment(call.query[name], name) if call.query.get(name) else None
