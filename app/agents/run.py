"""What an agent is asked to do, and what it works with once it has begun."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.agents.definition import Definition
from app.events.event import Event
from app.llm.failures import LLMError, RouteError
from app.prompts.prompt import Prompt
from app.store.executions import Execution
from app.store.records import Record, input_hash


class KeyReusedError(Exception):
    """An idempotency key comes a second time, with another request."""


@dataclass(frozen=True)
class Run:
    """`prompt` None is the default one. Of all runs under one `once` only the first is executed.

    `cause` is the event that led here.
    """

    input: dict[str, Any]
    correlation_id: str
    prompt: str | None = None
    once: str | None = None
    cause: Event | None = None

    def must_be(self, execution: Execution) -> Execution:
        """What was executed under `once`, if this run is the same. Raises KeyReusedError.

        An event is the same whatever is made of it meanwhile.
        """
        same = execution.input == self.input and self.prompt in {None, execution.prompt}
        if not same and self.cause is None:
            raise KeyReusedError(f"execution {execution.id} was made for another request under this key")
        return execution


@dataclass(frozen=True)
class Begun:
    """A run with the definition in use when it began, whatever takes its place meanwhile."""

    id: str
    run: Run
    definition: Definition
    prompt: Prompt
    messages: list[dict[str, str]]
    at: datetime

    def failure(self, agent: str, error: LLMError | RouteError) -> Record:
        """The row of a run whose model failed."""
        return Record(
            id=UUID(self.id),
            agent=agent,
            prompt=self.prompt.name,
            prompt_version=self.prompt.meta.version,
            status="failed",
            correlation_id=self.run.correlation_id,
            provider=error.provider if isinstance(error, LLMError) else None,
            input_hash=input_hash(self.run.input),
            error=str(error),
            started_at=self.at,
            finished_at=datetime.now(UTC),
        )
