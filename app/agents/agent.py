"""An agent: takes an input or an event, asks the model with its prompt, keeps what came of it."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from app.agents import hooks
from app.agents.definition import Definition
from app.agents.expressions import ExpressionError
from app.agents.store import Store
from app.events.event import Event
from app.events.handling import UnprocessableError
from app.llm.provider import Completion, Provider
from app.prompts.library import UnknownPromptError
from app.prompts.prompt import InputError, Prompt
from app.store.executions import Execution, Usage
from app.telemetry.logs import correlation_id as logged_correlation_id

log = logging.getLogger(__name__)


class Source(Protocol):
    """Where the definition in use comes from; it may change between two executions."""

    @property
    def current(self) -> Definition: ...


@dataclass(frozen=True)
class Run:
    """One run of a prompt, by one definition throughout: another may take its place meanwhile."""

    definition: Definition
    prompt: Prompt
    value: dict[str, Any]
    correlation_id: str
    once: str | None
    cause: Event | None
    started: datetime


@dataclass(frozen=True)
class Agent:
    """One agent with its definition and the services it uses."""

    name: str
    source: Source
    provider: Provider
    store: Store
    max_hops: int = 8

    async def execute(
        self,
        value: dict[str, Any],
        correlation_id: str,
        *,
        prompt: str | None = None,
        once: str | None = None,
        cause: Event | None = None,
    ) -> Execution:
        """Run `prompt` (None: the default one) once; only a stored execution is answered.

        What ran under the same `once` before is answered again, without asking the model. `cause` is the
        event that led here. Raises UnknownPromptError, InputError, LLMError, StoreError or ExpressionError.
        """
        if once and (stored := await self.store.find_once(self.name, once)):
            log.info("execution %s was stored before", stored.id)
            return stored
        definition = self.source.current
        chosen = definition.choose(prompt, correlation_id)
        run = Run(definition, chosen, value, correlation_id, once, cause, datetime.now(UTC))
        completion = await self.provider.complete(self.name, chosen, chosen.render(value))
        return await self._keep(run, completion)

    async def handle(self, event: Event) -> None:
        """Do what the declaration says about an event, once however often it comes.

        Raises UnprocessableError for an event that no other attempt would help: one that more than `max_hops`
        events led to (agents that answer each other go round no further), or whose data make no input. Raises
        LLMError and StoreError as `execute` does; the event is then to be handled again.
        """
        token = logged_correlation_id.set(event.correlation_id)
        try:
            if event.hops > self.max_hops:
                raise UnprocessableError(f"{event.hops} events led to it, more than {self.max_hops}")
            task = self.source.current.declaration.task_for(event)
            if task is None:
                log.info("event %s of type %s asks for nothing", event.id, event.type)
                return
            await self.execute(
                task.input,
                event.correlation_id,
                prompt=task.prompt,
                once=f"event:{event.key}",
                cause=event,
            )
        except (ExpressionError, InputError, UnknownPromptError) as error:
            raise UnprocessableError(str(error)) from error
        finally:
            logged_correlation_id.reset(token)

    async def _keep(self, run: Run, completion: Completion) -> Execution:
        """Store what came of a run, with the events that follow from it."""
        finished, declaration = datetime.now(UTC), run.definition.declaration
        execution = Execution(
            id=str(uuid.uuid4()),
            agent=self.name,
            prompt=run.prompt.name,
            prompt_version=run.prompt.meta.version,
            input=run.value,
            output=hooks.apply(declaration.hooks, run.value, completion.output),
            provider=completion.provider,
            model=completion.model,
            usage=Usage(
                prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens
            ),
            correlation_id=run.correlation_id,
            started_at=run.started,
            finished_at=finished,
        )
        events = declaration.events_of(execution, run.cause, finished)
        recorded = await self.store.record(execution, events, run.once)
        log.info("execution %s stored with %d events", recorded.execution.id, len(events))
        return recorded.execution
