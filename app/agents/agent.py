"""An agent: takes an input, asks the model with its prompt, keeps the execution."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.events.event import Event
from app.events.handling import UnprocessableError
from app.llm.provider import LLMError, Provider
from app.prompts.prompt import InputError, Prompt
from app.store.events import EventStore
from app.store.executions import Execution, StoreError, Usage
from app.store.records import Record, input_hash

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Agent:
    """One agent with its prompt and the services it uses."""

    name: str
    prompt: Prompt
    provider: Provider
    store: EventStore

    async def execute(
        self, value: dict[str, Any], correlation_id: str, *, once: str | None = None
    ) -> Execution:
        """Run once; only a stored execution is answered. Raises InputError, LLMError or StoreError.

        What ran under the same `once` before is answered again, without asking the model.
        """
        if once and (stored := await self.store.find_once(self.name, once)):
            log.info("execution %s was stored before", stored.id)
            return stored
        started = datetime.now(UTC)
        messages = self.prompt.render(value)
        run = str(uuid.uuid4())
        try:
            completion = await self.provider.complete(self.name, self.prompt, messages)
        except LLMError as error:
            await self._failed(run, value, correlation_id, started, error)
            raise
        execution = Execution(
            id=run,
            agent=self.name,
            prompt=self.prompt.name,
            prompt_version=self.prompt.meta.version,
            input=value,
            output=completion.output,
            provider=completion.provider,
            model=completion.model,
            usage=Usage(
                prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens
            ),
            correlation_id=correlation_id,
            started_at=started,
            finished_at=datetime.now(UTC),
        )
        recorded = await self.store.record(execution, once=once)
        log.info("execution %s stored", recorded.execution.id)
        return recorded.execution

    async def _failed(
        self, run: str, value: dict[str, Any], correlation_id: str, started: datetime, error: LLMError
    ) -> None:
        """Leave a row; that this cannot be done does not hide why the run failed."""
        record = Record(
            id=uuid.UUID(run),
            agent=self.name,
            prompt=self.prompt.name,
            prompt_version=self.prompt.meta.version,
            status="failed",
            correlation_id=correlation_id,
            provider=error.provider,
            input_hash=input_hash(value),
            error=str(error),
            started_at=started,
            finished_at=datetime.now(UTC),
        )
        try:
            await self.store.record_failure(record)
        except StoreError as failure:
            log.warning("the failed run %s left no row: %s", run, failure)

    async def handle(self, event: Event) -> None:
        """Run with the `input` in the event's data, once however often the event comes.

        Raises UnprocessableError when there is none that fits, LLMError and StoreError as `execute` does.
        """
        value = event.data.get("input") if isinstance(event.data, dict) else None
        if not isinstance(value, dict):
            raise UnprocessableError("data.input: an object is missing")
        try:
            await self.execute(value, event.correlation_id, once=f"event:{event.key}")
        except InputError as error:
            raise UnprocessableError(str(error)) from error
