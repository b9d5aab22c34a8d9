"""Carries out a plan: each resource when those it needs are there, side by side where nothing forbids it.

One that fails keeps those that need it from being begun; the others go on, and what was made stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.arm.errors import ArmError
from sandbox.arm.operations import internal
from sandbox.arm.resource import ResourceId
from sandbox.azure.deployments import references
from sandbox.azure.deployments.client import Client
from sandbox.azure.deployments.expressions import Functions
from sandbox.azure.deployments.plan import Step
from sandbox.azure.deployments.records import Record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ended:
    """How a step went: done, failed with an error, or not begun."""

    done: bool
    error: ArmError | None = None


class Run:
    """`tell` is given the record of each resource as soon as it has ended."""

    def __init__(
        self, steps: Sequence[Step], functions: Functions, client: Client, tell: Callable[[Record], None]
    ) -> None:
        self._steps = steps
        self._functions = functions
        self._client = client
        self._tell = tell

    async def all(self) -> None:
        """Raises ArmError DeploymentFailed with the error of every resource that failed as a detail."""
        tasks: dict[ResourceId, asyncio.Task[_Ended]] = {}
        # The plan's order: what a step waits for has its task already.
        for step in self._steps:
            needed = [tasks[id_] for id_ in step.after]
            tasks[step.item.id] = asyncio.create_task(self._when_ready(step, needed))
        try:
            ended = await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
        failures = [each.error for each in ended if each.error is not None]
        if failures:
            raise ArmError(
                409,
                "DeploymentFailed",
                "At least one resource deployment operation failed. Please list deployment operations for "
                "details. Please see https://aka.ms/arm-deployment-operations for usage details.",
                details=failures,
            )

    async def _when_ready(self, step: Step, needed: Sequence[asyncio.Task[_Ended]]) -> _Ended:
        for other in needed:
            # Shielded: who waits may be cancelled alone.
            if not (await asyncio.shield(other)).done:
                return _Ended(done=False)
        record = Record.begun(step.item)
        try:
            status = await self._put(step)
        except ArmError as error:
            self._tell(record.failed(error))
            return _Ended(done=False, error=_named(error, step.item.id))
        except Exception as error:
            log.exception("could not deploy %s", step.item.id)
            self._tell(record.failed(internal(error)))
            return _Ended(done=False, error=_named(internal(error), step.item.id))
        self._tell(record.succeeded(status))
        return _Ended(done=True)

    async def _put(self, step: Step) -> int:
        items = [each.item for each in self._steps]
        body = await references.resolved(step.item.body, self._functions, items, self._client)
        return await self._client.put(step.item.id, step.item.api_version, body)


def _named(error: ArmError, id: ResourceId) -> ArmError:  # noqa: A002
    """A resource's own error, with the resource as its target and the property at fault below it."""
    details = error.details
    if error.target is not None and not details:
        details = [ArmError(error.status, error.code, error.message, error.target)]
    return ArmError(error.status, error.code, error.message, id.text, details)
