"""Deleting a resource with everything below it, children first.

Members of a group may depend on each other (a network on the cluster that uses it), so what refuses to go is
tried again after the others went, as ARM does, until nothing more goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.handler import Handler
from sandbox.arm.identity import Identities
from sandbox.arm.ids import GROUP_TYPE
from sandbox.arm.operations import Operations, internal
from sandbox.arm.resource import Resource, ResourceId
from sandbox.arm.store import SqliteStore
from sandbox.outages.homes import Homes

log = logging.getLogger(__name__)


def _slow(handler: Handler) -> bool:
    return handler.long_running if handler.long_running_delete is None else handler.long_running_delete


def depth(resource: Resource) -> int:
    """How many ids it lies in."""
    return resource.id.text.count("/")


class Deletion:
    def __init__(
        self,
        *,
        store: SqliteStore,
        handler: Callable[[str], Handler],
        identities: Identities,
        operations: Operations,
        exclusive: Callable[[ResourceId], AbstractAsyncContextManager[None]],
        homes: Homes,
    ) -> None:
        self._store = store
        self._homes = homes
        self._exclusive = exclusive
        self._handler = handler
        self._identities = identities
        self._operations = operations

    def in_background(self, resource: Resource) -> bool:
        """Whether it takes so long, itself or what lies below, that the caller is told to poll."""
        below = self._store.list(under=resource.id.text)
        return any(_slow(self._handler(found.id.type)) for found in (resource, *below))

    async def run(self, resource: Resource, operation: str | None = None) -> None:
        """Delete all. Raises ArmError when something refuses; `operation` is the one this runs under."""
        remaining = sorted(self._store.list(under=resource.id.text), key=depth, reverse=True)
        while remaining:
            failures = await self._pass(remaining)
            if len(failures) == len(remaining):
                raise self._blocked(resource, failures)
            # What was made meanwhile by a handler (or left by a refusal) goes in the next pass.
            remaining = sorted(self._store.list(under=resource.id.text), key=depth, reverse=True)
        await self._stop_work(resource, operation)
        await self._one(resource)

    async def _pass(self, resources: list[Resource]) -> list[tuple[Resource, ArmError]]:
        """Try each once, deepest first; what failed, and why."""
        failures: list[tuple[Resource, ArmError]] = []
        for resource in resources:
            if any(failed.id.key.startswith(resource.id.key + "/") for failed, _ in failures):
                failures.append(
                    (resource, conflict("ParentHasChildren", "What lies below it could not be deleted."))
                )
                continue
            try:
                await self._stop_work(resource, None)
                # A write of its own that is under way ends first.
                async with self._exclusive(resource.id):
                    await self._one(resource)
            except ArmError as error:
                failures.append((resource, error))
        return failures

    async def _one(self, resource: Resource) -> None:
        # Not in the region of the request that it goes with, it may be in one that is down.
        self._homes.require(resource.id)
        try:
            await self._handler(resource.id.type).delete(resource)
        except (ArmError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("could not delete %s", resource.id)
            raise internal(error) from error
        self._identities.release(resource)
        self._store.remove(resource.id)

    async def _stop_work(self, resource: Resource, operation: str | None) -> None:
        """A creation still under way gives way to the deletion."""
        for running in self._operations.running(resource.id.key):
            if running != operation:
                await self._operations.cancel(running)

    @staticmethod
    def _blocked(resource: Resource, failures: list[tuple[Resource, ArmError]]) -> ArmError:
        if resource.id.type != GROUP_TYPE and len(failures) == 1:
            return failures[0][1]
        stuck = ", ".join(f"'{failed.id.text}'" for failed, _ in failures)
        return ArmError(
            409,
            "ResourceGroupDeletionBlocked"
            if resource.id.type == GROUP_TYPE
            else "NestedResourceDeletionFailed",
            f"Deletion of '{resource.id.name}' failed as resources with identifiers {stuck} could not be "
            "deleted. "
            "The provisioning state will be rolled back.",
            details=[
                ArmError(error.status, error.code, f"{failed.id.text}: {error.message}")
                for failed, error in failures
            ],
        )
