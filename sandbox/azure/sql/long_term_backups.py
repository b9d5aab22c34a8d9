"""`longTermRetentionBackups`: what long-term retention keeps, by location, server and database.

They are asked for by subscription or by resource group, and stay when the server is gone.
Source: https://learn.microsoft.com/rest/api/sql/long-term-retention-backups.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Handler
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.regions import normalise
from sandbox.arm.resource import Body
from sandbox.arm.store import timestamp
from sandbox.azure.sql import long_term
from sandbox.azure.sql.long_term import LongTermBackup
from sandbox.services import Services

_TYPE = "Microsoft.Sql/locations/longTermRetentionServers/longTermRetentionDatabases/longTermRetentionBackups"
_SCOPES = ("/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups/{group}")
_LOCATION = "/providers/Microsoft.Sql/locations/{location}"
_SERVER = "/longTermRetentionServers/{server}"
_DATABASE = "/longTermRetentionDatabases/{database}"
_BACKUPS = "/longTermRetentionBackups"


class LongTermBackupHandler(Handler):
    type = _TYPE

    def operations(self) -> Sequence[Operation]:
        made = []
        for scope in _SCOPES:
            for within in ("", _SERVER, _SERVER + _DATABASE):
                path = f"{scope}{_LOCATION}{within}{_BACKUPS}"
                made.append(Operation("GET", path, f"{_TYPE}/read", self._list))
            one = f"{scope}{_LOCATION}{_SERVER}{_DATABASE}{_BACKUPS}/{{name}}"
            made.append(Operation("GET", one, f"{_TYPE}/read", self._get))
            made.append(Operation("DELETE", one, f"{_TYPE}/delete", self._delete, long_running=True))
        return made

    async def _list(self, call: OperationCall) -> Answer:
        found = [one for one in long_term.kept(self.services) if _lies_in(one, call)]
        state = str(call.query.get("databaseState", "All")).lower()
        if state in ("live", "deleted"):
            found = [one for one in found if (one.dropped is None) == (state == "live")]
        if str(call.query.get("onlyLatestPerDatabase", "false")).lower() == "true":
            found = list({one.database_id: one for one in found}.values())
        return Answer(body={"value": [_wire(one) for one in found]})

    async def _get(self, call: OperationCall) -> Answer:
        return Answer(body=_wire(self._asked(call)))

    async def _delete(self, call: OperationCall) -> Answer:
        long_term.remove(self.services, self._asked(call))
        return Answer()

    def _asked(self, call: OperationCall) -> LongTermBackup:
        name = call.parameters["name"]
        for one in long_term.kept(self.services):
            if one.name == name and _lies_in(one, call):
                return one
        raise ArmError(404, "LongTermRetentionBackupNotFound", f"There is no long-term backup '{name}'.")


def find(services: Services, id: str) -> LongTermBackup | None:  # noqa: A002
    """The backup of an id, of either form."""
    wanted = id.strip("/").lower()
    for one in long_term.kept(services):
        _, _, tail = _id(one).lower().partition("/providers/")
        subscription = _id(one).lower().split("/")[2]
        if wanted in (_id(one).strip("/").lower(), f"subscriptions/{subscription}/providers/{tail}"):
            return one
    return None


def _lies_in(backup: LongTermBackup, call: OperationCall) -> bool:
    server, database = parse_id(backup.server), parse_id(backup.database)
    asked = {
        "subscription": server.subscription,
        "group": server.group,
        "server": server.name,
        "database": database.name,
    }
    return normalise(call.parameters["location"]) == backup.location and all(
        call.parameters[name].lower() == str(value).lower()
        for name, value in asked.items()
        if name in call.parameters
    )


def _wire(backup: LongTermBackup) -> Body:
    redundancy = backup.body["properties"]["currentBackupStorageRedundancy"]
    properties = {
        "serverName": parse_id(backup.server).name,
        "serverCreateTime": timestamp(backup.server_created),
        "databaseName": parse_id(backup.database).name,
        "backupTime": timestamp(backup.taken),
        "backupExpirationTime": timestamp(backup.expires),
        "backupStorageRedundancy": redundancy,
    }
    if backup.dropped is not None:
        properties["databaseDeletionTime"] = timestamp(backup.dropped)
    return {"id": _id(backup), "name": backup.name, "type": _TYPE, "properties": properties}


def _id(backup: LongTermBackup) -> str:
    server, database = parse_id(backup.server), parse_id(backup.database)
    values = {
        "subscription": server.subscription,
        "group": server.group,
        "location": backup.location,
        "server": server.name,
        "database": database.name,
    }
    path = f"{_SCOPES[1]}{_LOCATION}{_SERVER}{_DATABASE}{_BACKUPS}".format(**values)
    return f"{path}/{backup.name}"
