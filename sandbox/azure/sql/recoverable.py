"""`recoverableDatabases`: databases whose backups lie in the paired region too, to be restored from there.

They are what is left of a server whose region is gone: base backups and the log that was archived by then. A
database has one when its backup storage is geo-redundant.
Source: https://learn.microsoft.com/azure/azure-sql/database/recovery-using-backups#geo-restore.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.handler import Handler
from sandbox.arm.ids import child, parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import timestamp
from sandbox.azure.sql import archive, backups, naming, reach, retention
from sandbox.azure.sql.instance import instance
from sandbox.services import Services

_SERVER = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Sql/servers/{server}"
    "/recoverableDatabases"
)
_GEO = ("Geo", "GeoZone")


class RecoverableHandler(Handler):
    type = naming.RECOVERABLE

    def operations(self) -> Sequence[Operation]:
        read = f"{self.type}/read"
        return (
            Operation("GET", _SERVER, read, self._list),
            Operation("GET", f"{_SERVER}/{{name}}", read, self._get),
        )

    async def _list(self, call: OperationCall) -> Answer:
        server = parse_id(_SERVER.format(**call.parameters).rpartition("/")[0])
        store = self.services.store
        if store.get(server) is None:
            raise missing(server)
        found = [_wire(self.services, one) for one in store.list(type=naming.DATABASE, under=server.text)]
        return Answer(body={"value": [one for one in found if one is not None]})

    async def _get(self, call: OperationCall) -> Answer:
        id = parse_id(f"{_SERVER.format(**call.parameters)}/{call.parameters['name']}")  # noqa: A001
        found = find(self.services, id)
        shown = _wire(self.services, found) if found is not None else None
        if shown is None:
            raise missing(id)
        return Answer(body=shown)


def find(services: Services, id: ResourceId) -> Resource | None:  # noqa: A002
    """The database that an id of a recoverable database means, whether it is recoverable or not."""
    return services.store.get(child(naming.server_id(id).text, naming.DATABASE, id.name))


def is_geo_redundant(database: Resource) -> bool:
    return database.properties.get("currentBackupStorageRedundancy") in _GEO


def last_backup(services: Services, database: Resource) -> float | None:
    """The newest moment (seconds since 1970) that the backups lead to; None when none holds the database."""
    id = naming.server_id(database.id)  # noqa: A001
    resource, server = services.store.get(id), instance(services, id.name)
    if resource is None:
        return None
    created, end = retention.seconds(database.properties["creationDate"]), reach.newest(services, resource)
    # What was committed while a backup was taken may be in the log after it only.
    known = [one.began for one in backups.taken(server.backups) if one.ended <= end]
    logged = archive.newest(server.archive)
    newest = max((*known, *([min(logged, end)] if logged is not None else [])), default=None)
    return newest if known and newest is not None and newest >= created else None


def moment(services: Services, database: Resource) -> float | None:
    """Where a restore has to stop (seconds since 1970); None where all that is archived may be restored."""
    id = naming.server_id(database.id)  # noqa: A001
    resource, logged = services.store.get(id), archive.newest(instance(services, id.name).archive)
    if resource is None or logged is None or not reach.behind(services, resource):
        return None
    end = reach.newest(services, resource)
    return end if logged > end else None


def _wire(services: Services, database: Resource) -> Body | None:
    if database.id.name.lower() == naming.MASTER or not is_geo_redundant(database):
        return None
    last = last_backup(services, database)
    if last is None:
        return None
    id = child(naming.server_id(database.id).text, naming.RECOVERABLE, database.id.name)  # noqa: A001
    return {
        "id": id.text,
        "name": id.name,
        "type": naming.RECOVERABLE,
        "properties": {
            "edition": database.body["sku"]["tier"],
            "serviceLevelObjective": database.properties["currentServiceObjectiveName"],
            "lastAvailableBackupDate": timestamp(last),
        },
    }
