"""`Microsoft.DocumentDB/databaseAccounts`: an account with its regions, its store and its query engine."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.arm.errors import bad_request, conflict
from sandbox.arm.handler import Action, Call, Put
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.azure.dataplane import find
from sandbox.azure.documentdb import (
    account_body,
    builtin_roles,
    failover,
    keys,
    naming,
    restore,
    restore_checks,
    unreplicated,
    upkeep,
)
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.engine import engine
from sandbox.azure.documentdb.restorable import forget_others
from sandbox.azure.private_link import PrivateLinkTarget


class AccountHandler(PrivateLinkTarget):
    type = naming.ACCOUNT
    long_running = True
    #: The official client takes nothing but 200 from this PUT.
    created_status = 200

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        account_body.check_locations(properties.get("locations") or [])
        self._check_regions(put, properties)
        account_body.check_backup(properties, put.previous.properties if put.previous else None)
        if put.previous is None and find(self.services.store, naming.ACCOUNT, put.id.name) is not None:
            raise conflict(
                "DatabaseAccountAlreadyExists",
                f"The account name '{put.id.name}' is already in use: it is unique in the whole cloud.",
            )
        if put.body.get("kind", "GlobalDocumentDB") != "GlobalDocumentDB":
            raise bad_request("BadRequest", f"The kind '{put.body['kind']}' is not supported here.", "kind")
        await restore_checks.check(self.services, put)

    def _check_regions(self, put: Put, properties: Body) -> None:
        if put.previous is None:
            failover.check_new(properties["locations"], self.services.regions)
            return
        before = put.previous.properties
        filled = account_body.fill(self.services.names, put.id.name, properties, before)
        changes = account_body.differ_elsewhere(before, filled)
        failover.check_change(put.previous, properties["locations"], changes, self.services.regions)

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        before = put.previous.properties if put.previous else None
        body["kind"] = "GlobalDocumentDB"
        sent = body.get("properties") or {}
        if before is None:
            sent = {**await restore_checks.inherited(self.services, sent), **sent}
        body["properties"] = account_body.fill(self.services.names, put.id.name, sent, before)
        if put.previous is not None and keys.GENERATIONS in put.previous.body:
            body[keys.GENERATIONS] = put.previous.body[keys.GENERATIONS]
        return body

    async def provision(self, resource: Resource) -> None:
        data = databases(self.services.config).of(resource)
        await data.run(lambda journal: upkeep.keep(journal, resource))
        await restore.carry_out(self.services, resource, data)
        forget_others(self.services)
        for definition in builtin_roles.definitions(resource):
            if self.services.store.get(definition.id) is None:
                self.services.store.save(definition)
        await engine(self.services.config, resource).start(self.services.supervisor)
        for host in naming.hosts(self.services.names, resource):
            self.services.hosts.publish(host)

    async def resume(self, resource: Resource) -> None:
        await self.provision(resource)

    async def view(self, resource: Resource) -> Body:
        shown = await super().view(resource)
        return {name: value for name, value in shown.items() if name != keys.GENERATIONS}

    async def delete(self, resource: Resource) -> None:
        await engine(self.services.config, resource).stop(self.services.supervisor)
        for host in naming.hosts(self.services.names, resource):
            self.services.hosts.withdraw(host)
        continuous = account_body.continuous(resource.properties)
        await databases(self.services.config).close(resource, keep=continuous)
        if continuous:
            # It can be restored as long as its last moment lies in the window.
            days = account_body.backup_window(resource.properties) // 86_400
            self.services.store.keep_deleted(resource, days=days)

    def homes(self, resource: Resource) -> frozenset[str]:
        return failover.homes(resource)

    async def lost(self, resource: Resource, region: str) -> None:
        if failover.automatic(self.services.names, resource, region, self.services.regions):
            await self._move(resource, region)

    def actions(self) -> Mapping[str, Action]:
        return {
            "listKeys": self._list_keys,
            "readonlykeys": self._list_read_only_keys,
            "listConnectionStrings": self._list_connection_strings,
            "regenerateKey": self._regenerate_key,
            "failoverPriorityChange": self._change_priorities,
            "offlineRegion": self._take_offline,
        }

    def operations(self) -> Sequence[Operation]:
        provider = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
        return (
            Operation(
                "HEAD", "/providers/Microsoft.DocumentDB/databaseAccountNames/{name}", "", self._name_exists
            ),
            *builtin_roles.operations(f"{provider}/{naming.ACCOUNT}"),
        )

    async def _name_exists(self, call: OperationCall) -> Answer:
        taken = find(self.services.store, naming.ACCOUNT, call.parameters["name"]) is not None
        return Answer(status=200 if taken else 404)

    async def _list_keys(self, call: Call) -> Any:
        return keys.listed(self.services.config, call.resource)

    async def _list_read_only_keys(self, call: Call) -> Any:
        return keys.listed(self.services.config, call.resource, keys.KINDS[2:])

    async def _list_connection_strings(self, call: Call) -> Any:
        return keys.connection_strings(self.services.config, call.resource)

    async def _regenerate_key(self, call: Call) -> Any:
        keys.require_local_auth(call.resource)
        keys.regenerate(call.resource, call.body.get("keyKind"))
        self._save(call.resource)
        return Answer()

    async def _change_priorities(self, call: Call) -> Any:
        """Make another region the writable one."""
        sent = account_body.ranked(call.body.get("failoverPolicies") or [])
        account_body.check_locations(sent)
        properties = call.resource.properties
        known = {naming.region(place["locationName"]): place for place in properties["locations"]}
        if {naming.region(place["locationName"]) for place in sent} != set(known):
            raise bad_request("BadRequest", "Name each of the account's regions once.", "failoverPolicies")
        failover.require_both(call.resource, sent, self.services.regions)
        moved = [
            {**known[naming.region(place["locationName"])], "failoverPriority": place["failoverPriority"]}
            for place in sent
        ]
        properties.update(account_body.places(self.services.names, call.resource.id.name, moved))
        self._save(call.resource)
        return Answer(status=204)

    async def _take_offline(self, call: Call) -> Any:
        """A forced failover away from a region that is down."""
        region = call.body.get("region")
        if failover.offline(self.services.names, call.resource, region, self.services.regions):
            await self._move(call.resource, naming.region(str(region)))
        return Answer(status=200)

    async def _move(self, resource: Resource, lost: str) -> None:
        """Put a forced failover in force. What is lost goes first: a kill in between leaves the region lost
        and the failover to be done, and the same is lost then."""
        successor = naming.region(naming.locations(resource)[0])
        await unreplicated.lose(self.services, resource, lost, successor)
        # As it is now: an update that was under way may have ended meanwhile.
        moved = self.services.store.get(resource.id)
        if moved is not None:
            moved.properties.update({name: resource.properties[name] for name in account_body.PLACES})
            self._save(moved)

    def _save(self, resource: Resource) -> None:
        resource.changed_at = time.time()
        self.services.store.save(resource)
