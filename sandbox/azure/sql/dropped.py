"""`restorableDroppedDatabases`: databases that were deleted, as long as their backups are kept.

They are known by name and deletion: `<name>,<ticks>`, ticks being 100 ns since 1601 as Azure counts them.
Source: https://learn.microsoft.com/rest/api/sql/restorable-dropped-databases.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.handler import Handler
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import timestamp
from sandbox.azure.sql import naming, retention
from sandbox.azure.sql.instance import instance
from sandbox.services import Services, Store

_SERVER = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Sql/servers/{server}"
    "/restorableDroppedDatabases"
)
#: Where a database keeps when it was dropped: all that was committed by then can be restored.
DROPPED = "droppedDate"
#: 100 ns from 1601 to 1970, and in a second.
_EPOCH, _TICKS = 116_444_736_000_000_000, 10_000_000


class RestorableDroppedHandler(Handler):
    type = naming.DROPPED

    def operations(self) -> Sequence[Operation]:
        read = f"{self.type}/read"
        return (
            Operation("GET", _SERVER, read, self._list),
            Operation("GET", f"{_SERVER}/{{name}}", read, self._get),
        )

    async def _list(self, call: OperationCall) -> Answer:
        server = parse_id(_SERVER.format(**call.parameters).rpartition("/")[0])
        if self.services.store.get(server) is None:
            raise missing(server)
        found = [wire(self.services, one) for one in of_server(self.services.store, server)]
        return Answer(body={"value": [one for one in found if one is not None]})

    async def _get(self, call: OperationCall) -> Answer:
        id = parse_id(f"{_SERVER.format(**call.parameters)}/{call.parameters['name']}")  # noqa: A001
        found = find(self.services.store, id)
        shown = wire(self.services, found) if found is not None else None
        if shown is None:
            raise missing(id)
        return Answer(body=shown)


def of_server(store: Store, server: ResourceId) -> list[Resource]:
    """The dropped databases of a server as they were, the first to go first."""
    prefix = f"{server.key}/databases/"
    return [one for one in store.deleted(naming.DATABASE) if one.id.key.startswith(prefix)]


def find(store: Store, id: ResourceId) -> Resource | None:  # noqa: A002
    """The dropped database that an id of a restorable dropped database means."""
    for one in of_server(store, naming.server_id(id)):
        if naming.same(_id(one), id):
            return one
    return None


def date(dropped: Resource) -> float:
    """When it was dropped, in seconds since 1970."""
    return retention.seconds(dropped.body[DROPPED])


def ticks(at: float) -> int:
    """A time in Azure's ticks. (A microsecond is ten; floats are not exact below that.)"""
    return _EPOCH + round(at * 1_000_000) * (_TICKS // 1_000_000)


def forget(store: Store, server: ResourceId) -> None:
    """The server goes, and its backups with it."""
    for one in of_server(store, server):
        store.purge(one)


def wire(services: Services, dropped: Resource) -> Body | None:
    """As ARM answers it; None for one that no backup leads to."""
    server = instance(services, naming.server_id(dropped.id).name)
    earliest = retention.earliest(services.store, server.backups, dropped)
    if earliest is None or earliest > date(dropped):
        return None
    known = dropped.properties
    return {
        "id": _id(dropped),
        "name": _id(dropped).rpartition("/")[2],
        "type": naming.DROPPED,
        "location": dropped.location,
        "sku": dropped.body["sku"],
        **({"tags": dropped.body["tags"]} if dropped.body.get("tags") else {}),
        "properties": {
            "databaseName": dropped.id.name,
            "maxSizeBytes": known["maxSizeBytes"],
            "creationDate": known["creationDate"],
            "deletionDate": dropped.body[DROPPED],
            "earliestRestoreDate": timestamp(earliest),
            "backupStorageRedundancy": known["currentBackupStorageRedundancy"],
        },
    }


def _id(dropped: Resource) -> str:
    server = naming.server_id(dropped.id)
    return f"{server.text}/restorableDroppedDatabases/{dropped.id.name},{ticks(date(dropped))}"
