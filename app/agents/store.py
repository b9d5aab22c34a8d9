"""What an agent asks of the store of its executions and events."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from app.events.event import Event
from app.store.executions import Execution, ExecutionStore, StoreError

log = logging.getLogger(__name__)
_EXECUTIONS = uuid.UUID("0b6c9a6e-5f5d-4a53-8a37-9c6f6a7f8f10")


class ContinuationError(ValueError):
    """What should continue a list was not answered by one."""


class Recorded(Protocol):
    """The execution as it is stored: that of an earlier time when `once` had been seen before."""

    @property
    def execution(self) -> Execution: ...


class Page(Protocol):
    """Executions, newest first; `after` continues behind them, None at the end."""

    @property
    def executions(self) -> Sequence[Execution]: ...

    @property
    def after(self) -> str | None: ...


class Store(Protocol):
    """All methods raise StoreError."""

    async def record(
        self, execution: Execution, events: Sequence[Event] = (), once: str | None = None
    ) -> Recorded:
        """Keep the execution, its events (to be published) and the marker `once`: all of them or none."""

    async def find(self, agent: str, execution_id: str) -> Execution | None: ...

    async def find_once(self, agent: str, once: str) -> Execution | None:
        """The execution that was recorded under `once`."""

    async def list(self, agent: str, limit: int, after: str | None = None) -> Page:
        """At most `limit` executions. Raises ContinuationError for an `after` that no page had."""

    async def check(self, agent: str) -> None: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class _Recorded:
    execution: Execution


@dataclass(frozen=True)
class _Page:
    executions: Sequence[Execution]
    after: str | None


class ExecutionsOnly:
    """A `Store` over `ExecutionStore`, which has no outbox: events are named in the log and go nowhere.

    In the place of a marker, the id of an execution follows from `once`.
    """

    def __init__(self, executions: ExecutionStore) -> None:
        self._executions = executions

    async def record(
        self, execution: Execution, events: Sequence[Event] = (), once: str | None = None
    ) -> Recorded:
        if once is not None:
            if stored := await self.find_once(execution.agent, once):
                return _Recorded(stored)
            execution = execution.model_copy(update={"id": _id(execution.agent, once)})
        await self._executions.save(execution)
        for event in events:
            log.warning("event %s of type %s is not published: there is no outbox", event.id, event.type)
        return _Recorded(execution)

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        return await self._executions.find(agent, execution_id)

    async def find_once(self, agent: str, once: str) -> Execution | None:
        return await self.find(agent, _id(agent, once))

    async def list(self, agent: str, limit: int, after: str | None = None) -> Page:
        try:
            return _Page(*await self._executions.list(agent, limit, after))
        except StoreError as error:
            if after is not None and error.status == HTTPStatus.BAD_REQUEST:
                raise ContinuationError("the continuation is not one of this list") from error
            raise

    async def check(self, agent: str) -> None:
        await self._executions.check(agent)

    async def close(self) -> None:
        await self._executions.close()


def _id(agent: str, once: str) -> str:
    return str(uuid.uuid5(_EXECUTIONS, f"{agent}/{once}"))
