"""Composition: settings to a running application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from prometheus_client import make_asgi_app

from app.agents.agent import Agent
from app.api import correlation, executions, health, problems
from app.credentials import credential
from app.llm.provider import make_provider
from app.prompts.prompt import PromptError, load
from app.settings import Settings
from app.store.executions import ExecutionStore
from app.telemetry import metrics


def create_app(agent: Agent) -> FastAPI:
    """The HTTP application of one agent; closes the agent's clients when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await agent.provider.close()
        await agent.store.close()

    app = FastAPI(title=f"{agent.name} agent", description=agent.prompt.meta.description, lifespan=lifespan)
    app.middleware("http")(partial(metrics.observe, agent.name))
    app.middleware("http")(correlation.correlate)
    problems.install(app)
    app.include_router(health.router(agent))
    app.include_router(executions.router(agent))
    app.mount("/metrics", make_asgi_app())
    return app


def build(settings: Settings) -> FastAPI:
    """The application that the settings describe. Raises PromptError when its prompts cannot be used."""
    prompts = load(settings.prompts)
    if len(prompts) != 1:
        raise PromptError(f"expected one prompt in {settings.prompts}, found {', '.join(prompts)}")
    identity = credential()
    agent = Agent(
        name=settings.agent,
        prompt=next(iter(prompts.values())),
        provider=make_provider(settings.llm, identity),
        store=ExecutionStore(settings.cosmos, identity),
    )
    return create_app(agent)
