"""What an agent is: its prompts with their schemas, the events it works with, the tokens left today."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.agents.agent import Agent
from app.api.documentation import problems
from app.llm.budget import Standing
from app.prompts.prompt import Prompt


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class PromptDescription(_Part):
    """The version that a request gets which is in no trial. `input` and `output` are JSON Schemas."""

    name: str
    version: str
    description: str
    input: dict[str, Any]
    output: dict[str, Any]
    examples: list[dict[str, Any]]

    @classmethod
    def of(cls, prompt: Prompt) -> PromptDescription:
        meta = prompt.meta
        return cls(
            name=prompt.name,
            version=meta.version,
            description=meta.description,
            input=meta.input,
            output=meta.output,
            examples=meta.examples,
        )


class BudgetDescription(_Part):
    """Tokens of the UTC day."""

    used: int
    limit: int
    resets_at: datetime


class AgentDescription(_Part):
    """`default` names the prompt of who names none; `listens` and `emits` are event types."""

    agent: str
    description: str
    default: str
    prompts: list[PromptDescription]
    listens: list[str]
    emits: list[str]
    budget: BudgetDescription | None


def router(agent: Agent, standing: Callable[[], Standing] | None = None) -> APIRouter:
    """`standing` tells of the agent's budget, where it has one."""
    routes = APIRouter(tags=[agent.name], responses=problems(401, 403, 429, 503))

    @routes.get(f"/api/{agent.name}")
    async def describe() -> AgentDescription:
        """The agent as it is now: prompts may change while it runs."""
        definition = agent.source.current
        declaration, now = definition.declaration, standing() if standing else None
        return AgentDescription(
            agent=agent.name,
            description=definition.default.meta.description,
            default=declaration.default,
            prompts=[
                PromptDescription.of(definition.library.served(name)) for name in definition.library.names
            ],
            listens=sorted({listener.type for listener in declaration.listens}),
            emits=sorted({emission.type for emission in declaration.emits}),
            budget=BudgetDescription(used=now.used, limit=now.limit, resets_at=now.resets_at)
            if now
            else None,
        )

    return routes
