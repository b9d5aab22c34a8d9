"""An agent: takes an input, asks the model with its prompt, keeps the execution."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.llm.chat import Completion
from app.llm.options import DEFAULTS, Options
from app.llm.router import Router
from app.prompts.prompt import Prompt
from app.store.executions import Execution, ExecutionStore, Usage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Agent:
    """One agent with its prompt and the services it uses."""

    name: str
    prompt: Prompt
    llm: Router
    store: ExecutionStore

    async def execute(
        self, value: dict[str, Any], correlation_id: str, options: Options = DEFAULTS
    ) -> Execution:
        """Run once; only a stored execution is answered. Raises InputError, StoreError and as Router does."""
        started = datetime.now(UTC)
        messages = self.prompt.render(value)
        completion = await self.llm.complete(
            self.prompt, messages, deadline=options.deadline, skip=options.skip, fresh=options.fresh
        )
        return await self._store(value, completion, correlation_id, started)

    async def stream(
        self, value: dict[str, Any], correlation_id: str, options: Options = DEFAULTS
    ) -> AsyncGenerator[str | Execution, None]:
        """The model's text in pieces, and at last the stored execution. Raises as `execute`."""
        started = datetime.now(UTC)
        messages = self.prompt.render(value)
        parts = self.llm.stream(self.prompt, messages, deadline=options.deadline, skip=options.skip)
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Completion):
                    yield await self._store(value, part, correlation_id, started)
                else:
                    yield part

    async def _store(
        self, value: dict[str, Any], completion: Completion, correlation_id: str, started: datetime
    ) -> Execution:
        execution = Execution(
            id=str(uuid.uuid4()),
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
        await self.store.save(execution)
        log.info("execution %s stored", execution.id)
        return execution
