"""`Microsoft.Sql/servers`: every server is a PostgreSQL instance behind the gateway."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import child
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.dataplane import find
from sandbox.azure.private_link import PrivateLinkTarget
from sandbox.azure.sql import administrators, database_body, dropped, groups, naming, server_body
from sandbox.azure.sql.estate import estate_of
from sandbox.azure.sql.instance import instance
from sandbox.types.rows.databases import SQL_NAME


class ServerHandler(PrivateLinkTarget):
    type = naming.SERVER
    long_running = True

    async def check(self, put: Put) -> None:
        before = put.previous.properties if put.previous else None
        server_body.check(put.body.get("properties") or {}, before)
        if put.previous is None and self._taken(put.id.name):
            raise conflict(
                "NameAlreadyExists",
                f"The name '{put.id.name}' already exists. Choose a different name: names of servers and "
                "failover groups are unique in the whole cloud.",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        body["kind"] = "v12.0"
        body["properties"] = server_body.fill(
            naming.host(self.services.names, put.id.name),
            put.id.text,
            body.get("properties") or {},
            put.previous.properties if put.previous else None,
        )
        return body

    async def provision(self, resource: Resource) -> None:
        await self._start(resource)
        master = child(resource.id.text, naming.DATABASE, naming.MASTER)
        if self.services.store.get(master) is None:
            now = time.time()
            self.services.store.save(Resource(master, database_body.master(resource), now, now))
        administrators.show(self.services, resource)
        estate_of(self.services).keeper.look()

    async def resume(self, resource: Resource) -> None:
        await self._start(resource)
        estate_of(self.services).keeper.look()

    async def _start(self, resource: Resource) -> None:
        """The instance first: a name that resolves is one that answers."""
        one = instance(self.services, resource)
        if groups.is_secondary(self.services.store, resource) and one.exists and not one.is_standby:
            # A primary that was away when its group was failed over. It has writes that the group lost, and
            # must not be written any more: its group makes it a copy of the new primary.
            await one.stop()
        else:
            await one.start()
        if not groups.is_secondary(self.services.store, resource):
            await administrators.apply(self.services, resource)
        await estate_of(self.services).gateway.listen()
        self.services.hosts.publish(naming.host(self.services.names, resource.id.name))

    async def lost(self, resource: Resource, region: str) -> None:
        """Unreachable, its instance as it is. What was on its way to or from a replica never arrives."""
        del region
        shared, one = estate_of(self.services), instance(self.services, resource)
        await shared.links.cut(one.name)
        await shared.links.cut_from(one.socket_file)
        await shared.gateway.drop(resource)

    async def delete(self, resource: Resource) -> None:
        shared = estate_of(self.services)
        await shared.links.cut(resource.id.name)
        async with shared.keeper.exclusive(resource.id.name):
            await instance(self.services, resource).remove()
        dropped.forget(self.services.store, resource.id)
        self.services.hosts.withdraw(naming.host(self.services.names, resource.id.name))

    def operations(self) -> Sequence[Operation]:
        path = "/subscriptions/{subscription}/providers/Microsoft.Sql/checkNameAvailability"
        return (Operation("POST", path, "Microsoft.Sql/checkNameAvailability/action", self._check_name),)

    async def _check_name(self, call: OperationCall) -> Answer:
        name = str(call.body.get("name"))
        answer: Body = {"name": name, "available": True}
        if not SQL_NAME.allows(name):
            answer |= {"available": False, "reason": "Invalid", "message": f"A name has {SQL_NAME.wording}."}
        elif self._taken(name):
            message = f"Specified server name '{name}' is already used."
            answer |= {"available": False, "reason": "AlreadyExists", "message": message}
        return Answer(body=answer)

    def _taken(self, name: str) -> bool:
        store = self.services.store
        return any(find(store, kind, name) is not None for kind in (naming.SERVER, naming.FAILOVER_GROUP))


def server_of(handler: Handler, put: Put) -> Resource:
    """The server that a child lies in. Raises ArmError 404."""
    id = naming.server_id(put.id)  # noqa: A001
    server = handler.services.store.get(id)
    if server is None:
        raise ArmError(404, "ParentResourceNotFound", f"The server '{id}' was not found.")
    return server
