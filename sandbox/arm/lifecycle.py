"""Writes: PUT, PATCH and DELETE of any type, in the order `handler` describes, and their resumption.

Every step may be repeated: a resource carries what is under way (`Store.mark`) until it has ended, and a
start goes on with it.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from sandbox.arm import preconditions
from sandbox.arm.catalogue import STATE, Catalogue, TypeInfo
from sandbox.arm.database import Database
from sandbox.arm.deletion import Deletion, depth
from sandbox.arm.errors import ArmError
from sandbox.arm.handler import Put
from sandbox.arm.handlers import Handlers, overrides
from sandbox.arm.identity import Identities
from sandbox.arm.ids import GROUP_TYPE, child
from sandbox.arm.merge import merge_patch
from sandbox.arm.operations import FAILED, Operations, internal
from sandbox.arm.request import Caller
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.arm.store import SqliteStore, timestamp
from sandbox.faults.registry import Faults
from sandbox.faults.shapes import arm_error
from sandbox.outages.homes import Homes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a write went: the resource (None once gone) and the operation that goes on in the background."""

    status: int
    resource: Resource | None
    operation: str | None = None


class Lifecycle:
    def __init__(
        self,
        *,
        database: Database,
        store: SqliteStore,
        catalogue: Catalogue,
        handlers: Handlers,
        identities: Identities,
        operations: Operations,
        homes: Homes,
        faults: Faults | None = None,
    ) -> None:
        self._homes = homes
        self._faults = faults or Faults()
        self._database = database
        self._store = store
        self._catalogue = catalogue
        self._handlers = handlers
        self._identities = identities
        self._operations = operations
        self._deletion = Deletion(
            store=store,
            handler=handlers.of,
            identities=identities,
            operations=operations,
            exclusive=self._exclusive,
            homes=homes,
        )
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, id: ResourceId, body: Body, caller: Caller, info: TypeInfo) -> Outcome:  # noqa: A002
        """Create, or replace."""
        async with self._exclusive(id):
            previous = self._store.get(id)
            return await self._write(id, body, previous, caller, info)

    async def patch(self, id: ResourceId, body: Body, caller: Caller, info: TypeInfo) -> Outcome:  # noqa: A002
        """Change what is sent, keep the rest (RFC 7396)."""
        async with self._exclusive(id):
            previous = self._store.get(id)
            if previous is None:
                raise preconditions.missing(id)
            change = self._handlers.of(id.type).patch(body)
            return await self._write(id, merge_patch(previous.body, change), previous, caller, info)

    async def delete(self, id: ResourceId, caller: Caller) -> Outcome:  # noqa: A002
        """Delete with all that lies below. Nothing there is a 204, but for groups a 404, as on Azure."""
        async with self._exclusive(id):
            resource = self._store.get(id)
            if resource is None:
                if id.type == GROUP_TYPE:
                    raise preconditions.missing(id)
                return Outcome(204, None)
            preconditions.match_etag(caller, resource, needed=self._handlers.of(id.type).delete_needs_etag)
            if self._store.pending(id) == "delete":
                return Outcome(202, resource, self._operations.begin_or_join(id.key, "delete"))
            await self._handlers.of(id.type).check_delete(resource)
            info = self._catalogue.find(id.type)
            if info is not None and info.default_body is not None:
                resource.body = copy.deepcopy(info.default_body)
                self._store.save(resource)
                return Outcome(200, None)
            failing = self._failing("DELETE", id)
            if failing is not None:
                return Outcome(202, resource, self._start_failing(resource, failing))
            if not self._deletion.in_background(resource):
                self._store.mark(id, "delete")
                try:
                    await self._deletion.run(resource)
                except ArmError:
                    self._store.mark(id, "")
                    raise
                kept = resource if self._handlers.of(id.type).answers_deleted else None
                return Outcome(self._handlers.of(id.type).deleted_status, kept)
            return Outcome(202, resource, self._start_delete(resource))

    async def resume(self) -> None:
        """Bring back, parents first, what the stored resources stand for, and go on with unfinished work."""
        unfinished = {found.key: kind for kind, found in self._store.unfinished()}
        for operation in self._operations.unfinished():
            if operation.key not in unfinished:
                error = ArmError(
                    500, "OperationInterrupted", "The sandbox was stopped while this ran; repeat it."
                )
                self._operations.finish(operation.id, FAILED, error=error)
        # Level by level, so that what something lies in is back before it.
        by_level = sorted(self._store.list(), key=depth)
        for _, level in itertools.groupby(by_level, key=depth):
            await asyncio.gather(*(self._resume(each, unfinished.get(each.id.key)) for each in level))

    async def lose(self, region: str) -> None:
        """A region is down: have what is there stop answering, what lies in something before that."""
        for resource in sorted(self._store.list(), key=depth, reverse=True):
            if region in self._homes.of(resource.id):
                await self._lose(resource, region)

    async def regain(self, region: str) -> None:
        """A region is up again: bring back what is there, parents first, and go on with unfinished work."""
        there = [one for one in self._store.list() if region in self._homes.of(one.id)]
        for _, level in itertools.groupby(sorted(there, key=depth), key=depth):
            await asyncio.gather(*(self._regain(each.id) for each in level))

    async def _lose(self, resource: Resource, region: str) -> None:
        try:
            await self._handlers.of(resource.id.type).lost(resource, region)
        except Exception:  # one resource must not keep the others up
            log.exception("%s is still there", resource.id)

    async def _regain(self, id: ResourceId) -> None:  # noqa: A002
        # As it is now: what comes back before it took its time.
        resource = self._store.get(id)
        if resource is None or self._operations.at_work(id.key):
            return
        pending = self._store.pending(id)
        if pending:
            await self._resume(resource, pending)
            return
        try:
            await self._handlers.of(id.type).regained(resource)
        except Exception:  # one broken resource must not keep the others from coming back
            log.exception("could not bring back %s", id)

    async def _resume(self, resource: Resource, pending: str | None) -> None:
        for region in self._homes.down(resource.id):
            await self._lose(resource, region)
        if self._homes.lost(resource.id):
            return
        try:
            if pending == "put":
                self._start_provision(resource)
                return
            if pending == "delete":
                self._start_delete(resource)
                return
            await self._handlers.of(resource.id.type).resume(resource)
        except Exception:  # one broken resource must not keep the others from coming back
            log.exception("could not resume %s", resource.id)

    async def _write(
        self,
        id: ResourceId,  # noqa: A002
        body: Body,
        previous: Resource | None,
        caller: Caller,
        info: TypeInfo,
    ) -> Outcome:
        preconditions.match_etag(caller, previous)
        self._require_free(id)
        if previous is None:
            preconditions.plain_name(id.name)
            info.check_name(id.name)
        handler = self._handlers.of(id.type)
        body = info.converted(body)
        # A client may send back what a GET showed it.
        shown = merge_patch(await handler.view(previous), previous.body) if previous else None
        info.validate(_identified(body), caller.api_version, shown)
        id = previous.id if previous else preconditions.canonical(self._store, id, info)  # noqa: A001
        preconditions.place(info, id, body, previous)
        put = Put(id, body, previous, caller.principal, caller.api_version, caller.correlation_id)
        self._identities.check(put)
        await handler.check(put)
        now = time.time()
        filled = await handler.fill(put)
        resource = Resource(id, _identified(filled), previous.created_at if previous else now, now)
        self._identities.fill(resource)
        if previous is not None and _system_assigned(previous) and not _system_assigned(resource):
            self._identities.release(previous)
        _stamp(resource, previous, caller, info)
        # Once more: the handler took its time, and what lies above may be gone or going by now.
        self._require_free(id)
        status = handler.updated_status if previous else handler.created_status
        failing = self._failing(caller.method, id)
        if failing is None and not overrides(handler, "provision"):
            self._set_state(resource, "Succeeded")
            with self._database.transaction():
                self._store.save(resource)
                self._add_singletons(resource)
            return Outcome(status, resource)
        self._set_state(resource, "Updating" if previous else "Creating")
        with self._database.transaction():
            self._store.save(resource)
            self._add_singletons(resource)
            self._store.mark(id, "put")
        if failing is not None:
            return Outcome(status, resource, self._start_failing(resource, failing))
        if handler.long_running:
            return Outcome(status, resource, self._start_provision(resource))
        await self._provision(resource)
        return Outcome(status, resource)

    def _require_free(self, id: ResourceId) -> None:  # noqa: A002
        preconditions.require_ancestors(self._store, id, "write")
        preconditions.require_idle(self._store, self._operations, id)

    def _add_singletons(self, resource: Resource) -> None:
        """Children that exist as soon as their parent does."""
        for info in self._catalogue.singletons(resource.id.type):
            id = child(resource.id.text, info.name, info.singleton)  # noqa: A001
            if self._store.get(id) is None:
                now = resource.changed_at
                self._store.save(Resource(id, copy.deepcopy(info.default_body or {}), now, now))

    def _start_provision(self, resource: Resource) -> str:
        operation = self._operations.begin_or_join(resource.id.key, "put")
        self._operations.run(operation, lambda: self._provision(resource))
        return operation

    def _failing(self, method: str, id: ResourceId) -> ArmError | None:  # noqa: A002
        """With what the operation that a request starts is to end, when it was asked to fail."""
        fault = self._faults.resource(method, id.type, id.name, "operation-fails")
        return ArmError(500, *arm_error(fault)) if fault is not None else None

    def _start_failing(self, resource: Resource, error: ArmError) -> str:
        """An operation that does nothing and leaves the resource as Failed, for the next request to mend."""

        async def fail() -> None:
            self._settle(resource, "Failed")
            raise error

        operation = self._operations.begin(resource.id.key, "fault")
        self._operations.run(operation, fail)
        return operation

    def _start_delete(self, resource: Resource) -> str:
        key = resource.id.key
        with self._database.transaction():
            operation = self._operations.begin_or_join(key, "delete")
            self._set_state(resource, "Deleting")
            self._store.save(resource)
            self._store.mark(resource.id, "delete")
        self._operations.run(operation, lambda: self._delete_in_background(resource, operation))
        return operation

    async def _provision(self, resource: Resource) -> None:
        try:
            await self._handlers.of(resource.id.type).provision(resource)
        except Exception as error:
            self._settle(resource, "Failed")
            if isinstance(error, ArmError):
                raise
            log.exception("could not provision %s", resource.id)
            raise internal(error) from error
        self._settle(resource, "Succeeded")

    async def _delete_in_background(self, resource: Resource, operation: str) -> None:
        try:
            await self._deletion.run(resource, operation)
        except ArmError:
            # A group whose members could not be deleted stays as it was; a resource is left for another try.
            self._settle(resource, "Succeeded" if resource.id.type == GROUP_TYPE else "Failed")
            raise

    def _settle(self, resource: Resource, state: str) -> None:
        self._set_state(resource, state)
        with self._database.transaction():
            self._store.save(resource)
            self._store.mark(resource.id, "")

    def _set_state(self, resource: Resource, state: str) -> None:
        info = self._catalogue.find(resource.id.type)
        if info is not None and info.shows(STATE):
            resource.properties["provisioningState"] = state

    @asynccontextmanager
    async def _exclusive(self, id: ResourceId) -> AsyncIterator[None]:  # noqa: A002
        """One write at a time per resource; different resources do not wait for each other."""
        lock = self._locks.setdefault(id.key, asyncio.Lock())
        async with lock:
            yield


def _identified(body: Body) -> Body:
    """Id, name and type are told by the id alone."""
    return {key: value for key, value in body.items() if key not in ("id", "name", "type")}


def _system_assigned(resource: Resource) -> bool:
    identity = resource.body.get("identity")
    return isinstance(identity, dict) and "systemassigned" in str(identity.get("type", "")).lower()


def _stamp(resource: Resource, previous: Resource | None, caller: Caller, info: TypeInfo) -> None:
    """What ARM itself writes into a resource: its ETag, who made and who changed it."""
    if info.shows("etag"):
        resource.body["etag"] = f'"{uuid.uuid4()}"'
    if not info.shows("systemData"):
        return
    who = caller.principal.client_id or caller.principal.object_id
    now = timestamp(resource.changed_at)
    created = (previous.body.get("systemData") if previous else None) or {
        "createdBy": who,
        "createdByType": "Application",
        "createdAt": now,
    }
    resource.body["systemData"] = {
        **created,
        "lastModifiedBy": who,
        "lastModifiedByType": "Application",
        "lastModifiedAt": now,
    }
