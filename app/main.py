"""Composition: settings to a running application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from azure.core.credentials_async import AsyncTokenCredential
from fastapi import FastAPI
from prometheus_client import make_asgi_app

from app.agents import definition
from app.agents.agent import Agent
from app.agents.definition import Definition
from app.agents.store import ExecutionsOnly
from app.api import correlation, documentation, executions, health, problems
from app.api.body import BodyLimit
from app.api.guard import Guard
from app.api.security import SecurityHeaders
from app.api.tokens import Tokens
from app.credentials import blocking_credential, credential
from app.dependency import Dependency
from app.events.queue import Queue
from app.events.topic import Topic
from app.llm.provider import make_provider
from app.prompts.reload import Watched
from app.settings import HttpSettings, Settings
from app.store.database import Database, make_engine
from app.store.executions import ExecutionStore
from app.telemetry import metrics
from app.vault import Vault


def create_app(
    agent: Agent,
    dependencies: Sequence[Dependency] = (),
    work: Sequence[AbstractAsyncContextManager[object]] = (),
    *,
    http: HttpSettings | None = None,
    tokens: Tokens | None = None,
) -> FastAPI:
    """The HTTP application of one agent; closes its clients when it ends.

    `dependencies` are services beside the agent's own provider and store that its health report covers.
    `work` goes on beside the requests; the last to begin is the first to end, before the clients do.
    Without `tokens` anybody may call.
    """
    http = http or HttpSettings()

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

    description = agent.source.current.default.meta.description
    app = FastAPI(title=f"{agent.name} agent", description=description, lifespan=lifespan)
    # The last that is added is the first that a request meets.
    app.add_middleware(BodyLimit, most=http.max_body_bytes)
    app.add_middleware(Guard, tokens=tokens, rate=http.rate)
    app.middleware("http")(partial(metrics.observe, agent.name))
    app.middleware("http")(correlation.correlate)
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    app.include_router(health.router(agent, dependencies))
    app.include_router(executions.router(agent))
    app.mount("/metrics", make_asgi_app())
    documentation.install(app, agent, authenticated=tokens is not None)
    return app


def build(settings: Settings) -> FastAPI:
    """The application that the settings describe. Raises PromptError when its prompts cannot be used."""
    load = partial(definition.read, pins=settings.pins, trials=settings.trials)
    source: Watched[Definition] = Watched(settings.agent, settings.prompts, load)
    identity = credential()
    agent = Agent(
        name=settings.agent,
        source=source,
        provider=make_provider(settings.llm, identity),
        store=ExecutionsOnly(ExecutionStore(settings.cosmos, identity)),
        max_hops=settings.consumer.max_hops,
    )
    tokens = Tokens(settings.authentication) if settings.authentication.enabled else None
    services = [source, *_dependencies(settings, identity)]
    work = [source.watching(settings.reload_seconds)]
    return create_app(agent, services, work, http=settings.http, tokens=tokens)


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
