"""Composition: settings to a running application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from prometheus_client import make_asgi_app

from app.agents import definition
from app.agents.agent import Agent
from app.agents.definition import Definition
from app.api import console as console_pages
from app.api import correlation, description, documentation, executions, health, problems
from app.api.body import BodyLimit
from app.api.guard import Guard
from app.api.security import SecurityHeaders
from app.api.tokens import Tokens
from app.credentials import credential
from app.dependency import Dependency
from app.llm.budget import Budget
from app.llm.router import make_router
from app.prompts.reload import Watched
from app.readiness import Readiness
from app.services import Services
from app.settings import ConsoleSettings, HttpSettings, Settings
from app.store.events import EventStore
from app.telemetry import metrics, setup
from app.work import Work, budget_of, work_of


def create_app(
    agent: Agent,
    dependencies: Sequence[Dependency] = (),
    *,
    work: Sequence[Work] = (),
    budget: Budget | None = None,
    console: ConsoleSettings | None = None,
    http: HttpSettings | None = None,
    tokens: Tokens | None = None,
    readiness: Readiness | None = None,
) -> FastAPI:
    """The HTTP application of one agent; closes its clients when it ends.

    `dependencies` are services beside the agent's own models and store that its health report covers.
    `work` goes on beside the requests; the last to begin is the first to end, before the clients do.
    `budget` is entered by `work`. Without `tokens` anybody may call.
    """
    http = http or HttpSettings()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in work:
                await stack.enter_async_context(part)
            yield
        await agent.llm.close()
        await agent.store.close()
        for dependency in dependencies:
            await dependency.close()

    summary = agent.source.current.default.meta.description
    app = FastAPI(
        title=f"{agent.name} agent", description=summary, lifespan=lifespan, telemetry=setup.REQUESTS
    )
    # The last that is added is the first that a request meets.
    app.add_middleware(BodyLimit, most=http.max_body_bytes)
    app.add_middleware(Guard, tokens=tokens, rate=http.rate)
    app.add_middleware(metrics.Observed, agent=agent.name)
    app.add_middleware(correlation.Correlated)
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    app.include_router(health.router(agent, dependencies, readiness or Readiness()))
    app.include_router(description.router(agent, budget.standing if budget else None))
    app.include_router(executions.router(agent))
    if console:
        app.include_router(console_pages.router(console.agents))
    app.mount("/metrics", make_asgi_app())
    documentation.install(app, agent, authenticated=tokens is not None)
    metrics.expose(agent.name)
    return app


def build(settings: Settings, readiness: Readiness | None = None) -> FastAPI:
    """The application that the settings describe.

    Raises PromptError when its prompts cannot be used, SkipError when no model provider is left.
    """
    load = partial(definition.read, pins=settings.pins, trials=settings.trials)
    source: Watched[Definition] = Watched(settings.agent, settings.prompts, load)
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
        source=source,
        llm=make_router(settings.llm, settings.agent, identity, budget),
        store=store,
    )
    work: list[Work] = [source.watching(settings.reload_seconds), *([budget] if budget else [])]
    work += work_of(settings, services, store, agent.handle)
    tokens = Tokens(settings.authentication) if settings.authentication.enabled else None
    return create_app(
        agent,
        [source, *services.dependencies],
        work=work,
        budget=budget,
        console=settings.console,
        http=settings.http,
        tokens=tokens,
        readiness=readiness,
    )
