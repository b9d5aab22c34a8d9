"""An agent: takes an input or an event, asks the model with its prompt, keeps what came of it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from app.agents import hooks
from app.agents.definition import Definition
from app.agents.expressions import ExpressionError
from app.agents.run import Begun, Run
from app.events.event import Event
from app.events.handling import AttemptError, UnprocessableError
from app.llm.chat import Completion
from app.llm.failures import Kind, LLMError, RouteError
from app.llm.options import DEFAULTS, Options
from app.llm.router import Router
from app.prompts.library import UnknownPromptError
from app.prompts.prompt import InputError
from app.store.errors import StoreError
from app.store.events import EventStore
from app.store.executions import Execution, Usage
from app.telemetry import spans
from app.telemetry.logs import correlation_id as logged_correlation_id
from app.telemetry.metrics import PROMPT_DURATION
from app.telemetry.propagation import continue_from, current_traceparent

log = logging.getLogger(__name__)


class Source(Protocol):
    """Where the definition in use comes from; it may change between two executions."""

    @property
    def current(self) -> Definition: ...


@dataclass(frozen=True)
class Agent:
    """One agent with its definition and the services it uses."""

    name: str
    source: Source
    llm: Router
    store: EventStore

    async def execute(self, run: Run, options: Options = DEFAULTS) -> Execution:
        """Run once; only a stored execution is answered.

        What ran under the same `once` before is answered again, without asking the model. Raises
        UnknownPromptError, InputError, KeyReusedError, StoreError or ExpressionError, and as Router does.
        """
        if stored := await self._before(run):
            return stored
        begun = self._begin(run)
        async with self._watched(begun):
            completion = await self.llm.complete(
                begun.prompt,
                begun.messages,
                deadline=options.deadline,
                skip=options.skip,
                fresh=options.fresh,
            )
        return await self._keep(begun, completion)

    async def stream(self, run: Run, options: Options = DEFAULTS) -> AsyncGenerator[str | Execution, None]:
        """The model's text in pieces, and at last the stored execution, which is what counts.

        What ran before under the same `once` has no pieces. Raises as `execute`.
        """
        if stored := await self._before(run):
            yield stored
            return
        begun = self._begin(run)
        parts = self.llm.stream(begun.prompt, begun.messages, deadline=options.deadline, skip=options.skip)
        async with self._watched(begun), aclosing(parts):
            async for part in parts:
                yield await self._keep(begun, part) if isinstance(part, Completion) else part

    async def handle(self, event: Event) -> None:
        """Do what the declaration says about an event, once however often it comes.

        Raises UnprocessableError for an event that no other attempt would help: one whose data make no input,
        or whose input models refuse. Raises AttemptError for an answer that does not fit, DependencyError for
        whatever is away; the event is then to be handled again.
        """
        token = logged_correlation_id.set(event.correlation_id)
        try:
            task = self.source.current.declaration.task_for(event)
            if task is None:
                log.info("event %s of type %s asks for nothing", event.id, event.type)
                return
            once = f"event:{event.key}"
            with continue_from(event.traceparent, "event.process"):
                await self.execute(Run(task.input, event.correlation_id, task.prompt, once, cause=event))
        except (ExpressionError, InputError, UnknownPromptError) as error:
            raise UnprocessableError(str(error)) from error
        except LLMError as error:
            if error.blames_input:
                raise UnprocessableError(str(error)) from error
            if error.kind is Kind.INVALID_OUTPUT:
                raise AttemptError(str(error)) from error
            raise
        finally:
            logged_correlation_id.reset(token)

    async def _before(self, run: Run) -> Execution | None:
        stored = await self.store.find_once(self.name, run.once) if run.once else None
        if stored is None:
            return None
        log.info("execution %s was stored before", stored.id)
        return run.must_be(stored)

    def _begin(self, run: Run) -> Begun:
        # One definition throughout: another may take its place meanwhile.
        definition = self.source.current
        prompt = definition.choose(run.prompt, run.correlation_id)
        started = datetime.now(UTC)
        named = {"prompt.name": prompt.name, "prompt.version": prompt.meta.version}
        with spans.span("prompt.load", attributes=named), PROMPT_DURATION.labels(self.name).time():
            messages = prompt.render(run.input)
        return Begun(str(uuid.uuid4()), run, definition, prompt, messages, started)

    @asynccontextmanager
    async def _watched(self, begun: Begun) -> AsyncIterator[None]:
        """A model that fails leaves a row; that this cannot be done does not hide why the run failed."""
        try:
            yield
        except (LLMError, RouteError) as error:
            try:
                await self.store.record_failure(begun.failure(self.name, error))
            except StoreError as failure:
                log.warning("the failed run %s left no row: %s", begun.id, failure)
            raise

    async def _keep(self, begun: Begun, completion: Completion) -> Execution:
        run, declaration, finished = begun.run, begun.definition.declaration, datetime.now(UTC)
        execution = Execution(
            id=begun.id,
            agent=self.name,
            prompt=begun.prompt.name,
            prompt_version=begun.prompt.meta.version,
            input=run.input,
            output=hooks.apply(declaration.hooks, run.input, completion.output),
            provider=completion.provider,
            model=completion.model,
            usage=Usage(
                prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens
            ),
            correlation_id=run.correlation_id,
            started_at=begun.at,
            finished_at=finished,
        )
        events = declaration.events_of(execution, run.cause, finished, current_traceparent())
        recorded = await self.store.record(execution, events, run.once)
        log.info("execution %s stored with %d events", recorded.execution.id, len(events))
        return run.must_be(recorded.execution)
