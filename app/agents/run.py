"""What an agent is asked to do, and what it works with once it has begun."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.agents.definition import Definition
from app.events.event import Event
from app.prompts.prompt import Prompt
from app.store.executions import Execution


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

    run: Run
    definition: Definition
    prompt: Prompt
    messages: list[dict[str, str]]
    at: datetime
