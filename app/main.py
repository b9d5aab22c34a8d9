"""Composition: settings to a running application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from prometheus_client import make_asgi_app

from app.agents.agent import Agent
from app.api import correlation, executions, health, problems
from app.credentials import credential
from app.dependency import Dependency
from app.llm.provider import make_provider
from app.prompts.prompt import PromptError, load
from app.services import Services
from app.settings import Settings
from app.store.events import EventStore
from app.telemetry import metrics
from app.work import budget_of, work_of


def create_app(
    agent: Agent,
    dependencies: Sequence[Dependency] = (),
    work: Sequence[AbstractAsyncContextManager[object]] = (),
) -> FastAPI:
    """The HTTP application of one agent; closes its clients when it ends.

    `dependencies` are services beside the agent's own provider and store that its health report covers.
    `work` goes on beside the requests; the last to begin is the first to end, before the clients do.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in work:
                await stack.enter_async_context(part)
            yield
        await agent.provider.close()
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
    metrics.expose(agent.name)
    return app


def build(settings: Settings) -> FastAPI:
    """The application that the settings describe. Raises PromptError when its prompts cannot be used."""
    prompts = load(settings.prompts)
    if len(prompts) != 1:
        raise PromptError(f"expected one prompt in {settings.prompts}, found {', '.join(prompts)}")
    identity = credential()
    services = Services.of(settings, identity)
    store = EventStore(
        services.cosmos.documents(settings.cosmos.container),
        recorded=services.records is not None,
        account=services.cosmos,
    )
    budget = budget_of(settings, services)
    agent = Agent(
        name=settings.agent,
        prompt=next(iter(prompts.values())),
        provider=make_provider(settings.llm, identity, budget),
        store=store,
    )
    work = work_of(settings, services, store, agent.handle)
    return create_app(agent, services.dependencies, [*([budget] if budget else []), *work])
