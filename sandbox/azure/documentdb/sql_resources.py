"""`sqlDatabases` and their `containers`. Their bodies are `properties.resource` and `properties.options`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.documentdb import container_body, naming, recording, rids, throughput
from sandbox.azure.documentdb.account_body import serverless
from sandbox.azure.documentdb.ancestry import account_of
from sandbox.azure.documentdb.backup_information import latest_backup
from sandbox.azure.documentdb.container import Container
from sandbox.azure.documentdb.databases import databases
from sandbox.azure.documentdb.engine import engine

#: What was asked for at creation, until it is carried out.
_OPTIONS = "options"


def _resource(put: Put) -> Body:
    resource: Body = (put.body.get("properties") or {}).get("resource") or {}
    return resource


class _SqlHandler(Handler):
    long_running = True
    created_status = updated_status = 202

    def _check_options(self, put: Put, what: str) -> None:
        options = (put.body.get("properties") or {}).get(_OPTIONS) or {}
        if put.previous is None and throughput.settings(options) is not None:
            throughput.refuse_serverless(account_of(self.services.store, put.id), what)

    def _body(self, put: Put, resource: Body) -> Body:
        """Options count when the resource is made, and are not shown afterwards, as on Azure."""
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        properties["resource"] = resource
        if put.previous is not None or not properties.get(_OPTIONS):
            properties.pop(_OPTIONS, None)
        return body

    def _provision_throughput(self, resource: Resource, default: int | None) -> None:
        options = resource.properties.pop(_OPTIONS, None) or {}
        wanted = throughput.settings(options)
        if (
            wanted is None
            and default is not None
            and throughput.units(self.services.store, str(resource.id)) is None
        ):
            wanted = throughput.settings({"throughput": default})
        if wanted is not None:
            throughput.store_settings(self.services.store, resource, wanted)


class DatabaseHandler(_SqlHandler):
    type = naming.DATABASE

    async def check(self, put: Put) -> None:
        if _resource(put).get("id") != put.id.name:
            raise bad_request(
                "BadRequest",
                f"The id in the body, '{_resource(put).get('id')}', is not the path's, '{put.id.name}'.",
                "properties.resource.id",
            )
        self._check_options(put, "a database")

    async def fill(self, put: Put) -> Body:
        before: Mapping[str, Any] = put.previous.properties["resource"] if put.previous else {}
        rid = before.get("_rid") or rids.database()
        computed = {
            "_rid": rid,
            "_self": f"dbs/{rid}/",
            "_colls": "colls/",
            "_users": "users/",
            **rids.stamp(),
        }
        return self._body(put, {**_resource(put), **computed})

    async def provision(self, resource: Resource) -> None:
        self._provision_throughput(resource, None)
        await self.resume(resource)

    async def resume(self, resource: Resource) -> None:
        await recording.record_database(self.services, account_of(self.services.store, resource.id), resource)

    async def delete(self, resource: Resource) -> None:
        account = account_of(self.services.store, resource.id)
        if not recording.goes_as_a_whole(self.services, account):
            await recording.record_drop(self.services, account, resource)


class ContainerHandler(_SqlHandler):
    type = naming.CONTAINER

    async def check(self, put: Put) -> None:
        before = put.previous.properties["resource"] if put.previous else None
        container_body.check(_resource(put), put.id.name, before)
        self._check_options(put, "a container")

    async def fill(self, put: Put) -> Body:
        before: Mapping[str, Any] = put.previous.properties["resource"] if put.previous else {}
        database = self.services.store.get(put.id.text.rsplit("/", 2)[0])
        parent = database.properties["resource"]["_rid"] if database else rids.database()
        rid = before.get("_rid") or rids.container(parent)
        computed = {
            "_rid": rid,
            "_self": f"dbs/{parent}/colls/{rid}/",
            "_docs": "docs/",
            "_sprocs": "sprocs/",
            "_triggers": "triggers/",
            "_udfs": "udfs/",
            "_conflicts": "conflicts/",
            **rids.stamp(),
        }
        return self._body(put, container_body.fill(_resource(put), computed))

    async def provision(self, resource: Resource) -> None:
        account, shared = account_of(self.services.store, resource.id), self._shared(resource)
        self._provision_throughput(
            resource, None if serverless(account.properties) or shared else throughput.DEFAULT
        )
        await self.resume(resource)

    async def resume(self, resource: Resource) -> None:
        await recording.record_container(
            self.services, account_of(self.services.store, resource.id), resource
        )

    async def delete(self, resource: Resource) -> None:
        account = account_of(self.services.store, resource.id)
        if not recording.goes_as_a_whole(self.services, account):
            await databases(self.services.config).of(account).drop(Container.of(resource))
        await engine(self.services.config, account).forget(Container.of(resource))

    def actions(self) -> Mapping[str, Action]:
        return {"retrieveContinuousBackupInformation": self._backup_information}

    async def _backup_information(self, call: Call) -> Any:
        account = account_of(self.services.store, call.resource.id)
        behind = self.services.delays.backups("cosmos", account.id.name)
        return latest_backup(account, call.body.get("location"), behind)

    def _shared(self, resource: Resource) -> bool:
        """Whether the database has throughput that its containers share."""
        database = resource.id.text.rsplit("/", 2)[0]
        return throughput.units(self.services.store, database) is not None
