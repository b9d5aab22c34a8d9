"""An agent: takes an input, asks the model with its prompt, keeps the execution."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.llm.provider import Provider
from app.prompts.prompt import Prompt
from app.store.executions import Execution, ExecutionStore, Usage
from app.telemetry import spans
from app.telemetry.metrics import PROMPT_DURATION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Agent:
    """One agent with its prompt and the services it uses."""

    name: str
    prompt: Prompt
    provider: Provider
    store: ExecutionStore

    async def execute(self, value: dict[str, Any], correlation_id: str) -> Execution:
        """Run once. Raises InputError, LLMError or StoreError; only a stored execution is answered."""
        started = datetime.now(UTC)
        named = {"prompt.name": self.prompt.name, "prompt.version": self.prompt.meta.version}
        with spans.span("prompt.load", attributes=named), PROMPT_DURATION.labels(self.name).time():
            messages = self.prompt.render(value)
        completion = await self.provider.complete(self.name, self.prompt, messages)
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
