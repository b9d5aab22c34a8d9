"""Composition: settings to a running application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from azure.core.credentials_async import AsyncTokenCredential
from fastapi import FastAPI
from prometheus_client import make_asgi_app

from app.agents.agent import Agent
from app.api import correlation, executions, health, problems
from app.credentials import blocking_credential, credential
from app.dependency import Dependency
from app.events.queue import Queue
from app.events.topic import Topic
from app.llm.router import make_router
from app.prompts.prompt import PromptError, load
from app.settings import Settings
from app.store.database import Database, make_engine
from app.store.executions import ExecutionStore
from app.telemetry import metrics
from app.vault import Vault


def create_app(agent: Agent, dependencies: Sequence[Dependency] = ()) -> FastAPI:
    """The HTTP application of one agent; closes its clients when it ends.

    `dependencies` are services beside the agent's own models and store that its health report covers.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await agent.llm.close()
        await agent.store.close()
        for dependency in dependencies:
            await dependency.close()

    app = FastAPI(title=f"{agent.name} agent", description=agent.prompt.meta.description, lifespan=lifespan)
    app.middleware("http")(partial(metrics.observe, agent.name))
    app.middleware("http")(correlation.correlate)
    problems.install(app)
    app.include_router(health.router(agent, dependencies))
    app.include_router(executions.router(agent))
    app.mount("/metrics", make_asgi_app())
    return app


def build(settings: Settings) -> FastAPI:
    """The application that the settings describe.

    Raises PromptError when its prompts cannot be used, SkipError when no model provider is left.
    """
    prompts = load(settings.prompts)
    if len(prompts) != 1:
        raise PromptError(f"expected one prompt in {settings.prompts}, found {', '.join(prompts)}")
    identity = credential()
    agent = Agent(
        name=settings.agent,
        prompt=next(iter(prompts.values())),
        llm=make_router(settings.llm, settings.agent, identity),
        store=ExecutionStore(settings.cosmos, identity),
    )
    return create_app(agent, list(_dependencies(settings, identity)))


def _dependencies(settings: Settings, identity: AsyncTokenCredential) -> Iterator[Dependency]:
    """Those that the settings name."""
    if settings.sql:
        yield Database(make_engine(settings.sql, blocking_credential()))
    if settings.vault:
        yield Vault(settings.vault, identity)
    if settings.storage:
        yield Queue(settings.storage, identity)
    if settings.events:
        yield Topic(settings.events, identity)
