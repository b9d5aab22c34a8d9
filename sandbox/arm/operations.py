"""Asynchronous operations: background work whose status is stored, so that it outlives a kill.

A status is answered at `…/locations/L/operationStatuses/ID` (Azure-AsyncOperation) and, as a result, at
`…/operationResults/ID` (Location). Work interrupted by a kill is begun again at the next start under the
same operation id.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.arm import progress
from sandbox.arm.database import Database
from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Body
from sandbox.arm.store import timestamp

log = logging.getLogger(__name__)

IN_PROGRESS, SUCCEEDED, FAILED, CANCELED = "InProgress", "Succeeded", "Failed", "Canceled"
_KEPT_SECONDS = 24 * 3600

Work = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Operation:
    """One operation as stored; `key` is the id key of the resource it works on."""

    id: str
    key: str
    kind: str
    status: str
    started_at: float
    ended_at: float | None
    percent: float | None
    message: str | None
    error: Body | None
    result: Any

    @property
    def running(self) -> bool:
        return self.status == IN_PROGRESS

    def wire(self, url_path: str) -> Body:
        body: Body = {
            "id": url_path,
            "name": self.id,
            "status": self.status,
            "startTime": timestamp(self.started_at),
        }
        if self.ended_at is not None:
            body["endTime"] = timestamp(self.ended_at)
        if self.percent is not None and self.running:
            body["percentComplete"] = self.percent
        if self.message is not None and self.running:
            body["properties"] = {"message": self.message}
        if self.error is not None:
            body["error"] = self.error
        if self.result is not None:
            body["properties"] = self.result
        return body


class Operations:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._listeners: dict[str, Callable[[ArmError | None], None]] = {}

    def begin(self, key: str, kind: str) -> str:
        """Record a new operation; the id of it."""
        now = time.time()
        self._database.execute(
            "DELETE FROM operations WHERE status != ? AND ended_at < ?", (IN_PROGRESS, now - _KEPT_SECONDS)
        )
        operation_id = str(uuid.uuid4())
        self._database.execute(
            "INSERT INTO operations (id, key, kind, status, started_at) VALUES (?, ?, ?, ?, ?)",
            (operation_id, key, kind, IN_PROGRESS, now),
        )
        return operation_id

    def get(self, operation_id: str) -> Operation | None:
        rows = self._database.query("SELECT * FROM operations WHERE id = ?", (operation_id,))
        if not rows:
            return None
        row = dict(rows[0])
        for column in ("error", "result"):
            row[column] = json.loads(row[column]) if row[column] is not None else None
        return Operation(**row)

    def running(self, key: str, kind: str | None = None) -> list[str]:
        """Ids of the operations (of a kind) under way on a resource, newest first."""
        rows = self._database.query(
            "SELECT id, kind FROM operations WHERE key = ? AND status = 'InProgress' ORDER BY started_at "
            "DESC",
            (key,),
        )
        return [str(row["id"]) for row in rows if kind in (None, row["kind"])]

    def begin_or_join(self, key: str, kind: str) -> str:
        """The operation of that kind under way on a resource (one that a kill interrupted), or a new one."""
        return next(iter(self.running(key, kind)), None) or self.begin(key, kind)

    def at_work(self, key: str) -> bool:
        """Whether this very process works on a resource."""
        return any(operation in self._tasks for operation in self.running(key))

    def unfinished(self) -> list[Operation]:
        rows = self._database.query("SELECT id FROM operations WHERE status = 'InProgress'")
        return [operation for row in rows if (operation := self.get(row["id"])) is not None]

    def run(self, operation_id: str, work: Work) -> None:
        """Do the work in the background. What it returns is the result; ArmError makes it Failed."""
        task = asyncio.create_task(self._run(operation_id, work), name=f"operation {operation_id}")
        self._tasks[operation_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(operation_id, None))

    def when_done(self, operation_id: str, tell: Callable[[ArmError | None], None]) -> None:
        """Have `tell` called with the error, or None, when the operation ends (in this process)."""
        self._listeners[operation_id] = tell

    async def cancel(self, operation_id: str) -> None:
        """Stop the work and wait until it has stopped; it ends Canceled."""
        task = self._tasks.get(operation_id)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        error = ArmError(409, "OperationPreempted", "The operation was preempted by a later one.")
        self.finish(operation_id, CANCELED, error=error)

    async def settle(self, seconds: float) -> None:
        """Give running work some time to end, then interrupt it: the next start goes on with it."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks.values()), timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def finish(
        self, operation_id: str, status: str, *, error: ArmError | None = None, result: Any = None
    ) -> None:
        self._database.execute(
            "UPDATE operations SET status = ?, ended_at = ?, error = ?, result = ? "
            "WHERE id = ? AND status = 'InProgress'",
            (
                status,
                time.time(),
                json.dumps(error.body()["error"]) if error else None,
                json.dumps(result) if result is not None else None,
                operation_id,
            ),
        )
        tell = self._listeners.pop(operation_id, None)
        if tell is not None:
            tell(error)

    async def _run(self, operation_id: str, work: Work) -> None:
        def tell(percent: float, message: str) -> None:
            self._database.execute(
                "UPDATE operations SET percent = ?, message = ? WHERE id = ?",
                (percent, message, operation_id),
            )

        progress.current.set(tell)
        try:
            result = await work()
        except ArmError as error:
            self.finish(operation_id, FAILED, error=error)
        except Exception as error:  # a defect in a provider must end its operation, not the server
            log.exception("operation %s failed", operation_id)
            self.finish(operation_id, FAILED, error=internal(error))
        else:
            self.finish(operation_id, SUCCEEDED, result=result)


def internal(error: Exception) -> ArmError:
    """What the caller is told of a defect: enough to find it in the log."""
    return ArmError(500, "InternalServerError", f"{type(error).__name__}: {error}")
