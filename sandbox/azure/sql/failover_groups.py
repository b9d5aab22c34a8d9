"""`Microsoft.Sql/servers/failoverGroups`: two servers in two regions, one a replica of the other.

A group is shown at both servers, each from its side; it is made and changed at the primary, failed over at
the secondary. The listener `<group>.<suffix>` leads to the primary, `<group>.secondary.<suffix>` to the
replica. Unlike on Azure the replica has all databases of the primary, of which the group's are shown, and a
server is in one group at most; a group that is deleted leaves both servers with the data. Nothing fails over
by itself yet, whatever the policy: Azure waits at least an hour.

While the primary's region is down the group is failed over by force; what had not arrived is lost
(`sandbox fault replication --service sql` says how much that is). When that region is up again, the former
primary becomes the secondary, its lost writes gone. By plan, a failover waits for what has not arrived.

Sources: https://learn.microsoft.com/azure/azure-sql/database/failover-group-sql-db and, for the refusals,
https://learn.microsoft.com/rest/api/sql/failover-groups.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Sequence
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import child, parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.preconditions import missing
from sandbox.arm.resource import Body, Resource
from sandbox.azure.dataplane import find
from sandbox.azure.sql import group_rules, naming
from sandbox.azure.sql.administrators import apply
from sandbox.azure.sql.estate import estate_of
from sandbox.azure.sql.groups import PRIMARY, SECONDARY, partner
from sandbox.azure.sql.instance import instance
from sandbox.azure.sql.replication import Pair
from sandbox.azure.sql.servers import server_of

log = logging.getLogger(__name__)

_STATES = {"streaming": "CATCH_UP", None: "SUSPENDED"}
_PATH = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Sql/servers/{server}"
    "/failoverGroups/{name}"
)


class FailoverGroupHandler(Handler):
    type = naming.FAILOVER_GROUP
    long_running = True

    async def check(self, put: Put) -> None:
        server, sent = server_of(self, put), put.body.get("properties") or {}
        if put.previous is not None:
            _require_primary(put.previous)
        names = (naming.SERVER, naming.FAILOVER_GROUP)
        if put.previous is None and any(find(self.services.store, kind, put.id.name) for kind in names):
            raise conflict("NameAlreadyExists", f"The name '{put.id.name}' already exists.")
        group_rules.check(self.services.store, server, put, sent)

    async def check_delete(self, resource: Resource) -> None:
        _require_primary(resource)

    async def fill(self, put: Put) -> Body:
        server = server_of(self, put)
        other = self.services.store.get(put.body["properties"]["partnerServers"][0]["id"])
        before = put.previous.properties if put.previous else {}
        body = copy.deepcopy(put.body)
        sent = {name: value for name, value in body["properties"].items() if value is not None}
        sent.pop("secondaryType", None)
        target = other.id.text if other else ""
        body["location"] = server.location
        body["properties"] = {
            **sent,
            "databases": sent.get("databases", before.get("databases", [])),
            "readOnlyEndpoint": {
                "failoverPolicy": "Disabled",
                "targetServer": target,
                **{k: v for k, v in (sent.get("readOnlyEndpoint") or {}).items() if v is not None},
            },
            "replicationRole": PRIMARY,
            "replicationState": before.get("replicationState", "SEEDING"),
            "partnerServers": [_member(other, SECONDARY)] if other else [],
        }
        return body

    async def provision(self, resource: Resource) -> None:
        other = self._partner(resource)
        if self._is_away(other):
            raise _unreachable(other)
        self._show_at(other, resource)
        primary = self._server(resource)
        await apply(self.services, primary)
        await self._pair(primary, other).follow()
        self._show_databases(resource, other)
        resource.properties["replicationState"] = "CATCH_UP"
        for name in self._names(resource):
            self.services.hosts.publish(name)
        await self.services.networks.settle()

    async def resume(self, resource: Resource) -> None:
        if resource.properties["replicationRole"] == PRIMARY:
            await self._follow(self._server(resource), self._partner(resource))
            for name in self._names(resource):
                self.services.hosts.publish(name)

    async def regained(self, resource: Resource) -> None:
        """Either side comes back to the other: as primary, as replica, or as a primary that is none now."""
        if resource.properties["replicationRole"] == PRIMARY:
            await self.resume(resource)
        else:
            await self._follow(self._partner(resource), self._server(resource))

    async def view(self, resource: Resource) -> Body:
        primary, other = self._server(resource), self._partner(resource)
        if resource.properties["replicationRole"] == SECONDARY:
            primary, other = other, primary
        state = await self._pair(primary, other).state()
        shown = {**resource.properties, "replicationState": _STATES.get(state, "SEEDING")}
        return {**resource.wire(), "properties": shown}

    async def delete(self, resource: Resource) -> None:
        other = partner(self.services.store, resource)
        server = self.services.store.get(naming.server_id(resource.id))
        for name in self._names(resource):
            self.services.hosts.withdraw(name)
        for one in (server, other):
            if one is not None:
                self._forget_at(one, resource)
        await self.services.networks.settle(resource.id)
        if server is None or other is None:
            return
        roles = (server, other) if resource.properties["replicationRole"] == PRIMARY else (other, server)
        try:
            await self._pair(*roles).separate()
        except ArmError as error:
            log.warning("%s stays a replica: %s", roles[1].id.name, error.message)

    def operations(self) -> Sequence[Operation]:
        prefix = f"{self.type}"
        return [
            Operation("POST", f"{_PATH}/{name}", f"{prefix}/{name}/action", run, long_running=True)
            for name, run in (
                ("failover", self._fail_over),
                ("forceFailoverAllowDataLoss", self._force),
                ("tryPlannedBeforeForcedFailover", self._try_planned),
            )
        ]

    async def _fail_over(self, call: OperationCall) -> Answer:
        return await self._exchange(call, planned=True, forced=False)

    async def _force(self, call: OperationCall) -> Answer:
        return await self._exchange(call, planned=False, forced=True)

    async def _try_planned(self, call: OperationCall) -> Answer:
        return await self._exchange(call, planned=True, forced=True)

    async def _exchange(self, call: OperationCall, *, planned: bool, forced: bool) -> Answer:
        """Make the server that is asked the primary."""
        group = self._asked(call)
        new, old = self._server(group), self._partner(group)
        pair = self._pair(old, new)
        done, away = False, self._is_away(old)
        if planned and away and not forced:
            raise _unreachable(old)
        if planned and not away:
            try:
                await pair.switch()
                done = True
            except ArmError:
                if not forced:
                    raise
        if not done:
            await pair.force()
        self._exchange_roles(group, old)
        await apply(self.services, new)
        await self._follow(new, old)
        for name in self._names(group):
            self.services.hosts.publish(name)
        estate_of(self.services).keeper.look()
        await self.services.networks.settle()
        return Answer(body=await self.view(group))

    def _exchange_roles(self, group: Resource, old: Resource) -> None:
        mirrored = self.services.store.get(child(old.id.text, self.type, group.id.name))
        for one, role, partner_role in ((group, PRIMARY, SECONDARY), (mirrored, SECONDARY, PRIMARY)):
            if one is not None:
                one.properties["replicationRole"] = role
                one.properties["partnerServers"][0]["replicationRole"] = partner_role
                one.changed_at = time.time()
                self.services.store.save(one)

    def _asked(self, call: OperationCall) -> Resource:
        id = parse_id(_PATH.format(**call.parameters))  # noqa: A001
        group = self.services.store.get(id)
        if group is None:
            raise missing(id)
        if group.properties["replicationRole"] != SECONDARY:
            raise bad_request(
                "FailoverGroupFailoverRequestOnPrimary",
                "The failover request should be initiated on the secondary server of failover group. "
                f"'{call.parameters['server']}' is the primary already.",
            )
        return group

    def _show_at(self, other: Resource, group: Resource) -> None:
        """The group as the secondary shows it."""
        mirrored = copy.deepcopy(group.body)
        mirrored["location"] = other.location
        mirrored["properties"] |= {
            "replicationRole": SECONDARY,
            "partnerServers": [_member(self._server(group), PRIMARY)],
        }
        self._save(child(other.id.text, self.type, group.id.name).text, mirrored)

    def _show_databases(self, group: Resource, other: Resource) -> None:
        """At both servers, the group's databases are said to be in it; the secondary's are the primary's."""
        server = self._server(group)
        mirrored = child(other.id.text, self.type, group.id.name).text
        wanted = [database.lower() for database in group.properties["databases"]]
        for database in self.services.store.list(type=naming.DATABASE, under=server.id.text):
            twin = child(other.id.text, naming.DATABASE, database.id.name).text
            if database.id.name == naming.MASTER:
                continue
            if database.id.text.lower() in wanted:
                database.properties["failoverGroupId"] = group.id.text
                body = copy.deepcopy(database.body)
                body["location"] = other.location
                body["properties"]["failoverGroupId"] = mirrored
                self._save(twin, body)
            else:
                database.properties.pop("failoverGroupId", None)
                self.services.store.remove(parse_id(twin))
            self.services.store.save(database)

    def _forget_at(self, server: Resource, group: Resource) -> None:
        self.services.store.remove(child(server.id.text, self.type, group.id.name))
        for database in self.services.store.list(type=naming.DATABASE, under=server.id.text):
            if database.properties.pop("failoverGroupId", None) is not None:
                self.services.store.save(database)

    def _save(self, id: str, body: Body) -> None:  # noqa: A002
        known, now = self.services.store.get(id), time.time()
        created = known.created_at if known is not None else now
        self.services.store.save(Resource(parse_id(id), body, created, now))

    async def _follow(self, primary: Resource, replica: Resource) -> None:
        """Have the replica follow, unless either is away: then when it comes back."""
        if not self._is_away(primary) and not self._is_away(replica):
            await self._pair(primary, replica).follow()

    def _is_away(self, server: Resource) -> bool:
        return self.services.regions.is_down(server.location)

    def _pair(self, primary: Resource, replica: Resource) -> Pair:
        shared = estate_of(self.services)
        return Pair(shared, instance(self.services, primary), instance(self.services, replica))

    def _server(self, group: Resource) -> Resource:
        return self._existing(naming.server_id(group.id).text)

    def _partner(self, group: Resource) -> Resource:
        return self._existing(group.properties["partnerServers"][0]["id"])

    def _existing(self, id: str) -> Resource:  # noqa: A002
        found = self.services.store.get(id)
        if found is None:
            raise missing(parse_id(id))
        return found

    def _names(self, group: Resource) -> tuple[str, str]:
        names = self.services.names
        return naming.host(names, group.id.name), naming.read_only_host(names, group.id.name)


def _require_primary(group: Resource) -> None:
    """Raise ArmError 400 for a change of the group that is sent to the secondary."""
    if group.properties["replicationRole"] == SECONDARY:
        primary = parse_id(group.properties["partnerServers"][0]["id"]).name
        raise bad_request(
            "FailoverGroupUpdateOrDeleteRequestOnSecondary",
            "Modifications to the failover group are not allowed on a secondary server. Execute the request "
            f"on the primary server, '{primary}'.",
            "properties",
        )


def _unreachable(server: Resource) -> ArmError:
    return ArmError(
        503,
        "ServiceUnavailable",
        f"The server '{server.id.name}' in '{server.location}' does not answer: its region is down. Only a "
        "forced failover does without it.",
    )


def _member(server: Resource, role: str) -> dict[str, Any]:
    return {"id": server.id.text, "location": server.location, "replicationRole": role}
