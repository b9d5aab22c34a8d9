"""Health: `/healthz` (the process), `/readyz` (may take traffic), `/api/<agent>/health` (dependencies)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.agents.agent import Agent
from app.dependency import Dependency as Service
from app.dependency import DependencyError
from app.readiness import Readiness

# Longer than any healthy answer, shorter than what a person or a probe waits.
_TIMEOUT_SECONDS = 5


class Dependency(BaseModel):
    """One dependency as this pod's identity sees it."""

    name: str
    status: Literal["healthy", "unhealthy"]
    http_status: int | None = None
    reason: str | None = None

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Health(BaseModel):
    agent: str
    status: Literal["healthy", "degraded"]
    dependencies: list[Dependency]


async def _check(name: str, call: Awaitable[None]) -> Dependency:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await call
    except TimeoutError:
        return Dependency(name=name, status="unhealthy", reason=f"no answer within {_TIMEOUT_SECONDS} s")
    except DependencyError as error:
        return Dependency(name=name, status="unhealthy", http_status=error.status, reason=str(error))
    return Dependency(name=name, status="healthy")


def router(agent: Agent, services: Sequence[Service], readiness: Readiness) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def alive() -> dict[str, str]:
        """The process runs. Looks at nothing else, so that a dependency's fault restarts no pod."""
        return {"status": "alive"}

    @routes.get("/readyz", responses={503: {"description": "It cannot; `status` says why."}})
    async def ready(response: Response) -> dict[str, str]:
        """The agent can take requests. A dependency's outage must not take away every pod."""
        reason = readiness.reason()
        response.status_code = 200 if reason is None else 503
        return {"status": reason or "ready"}

    @routes.get(f"/api/{agent.name}/health", responses={503: {"model": Health}})
    async def health(response: Response) -> Health:
        """Every dependency, reached with this pod's identity; 503 when one is not usable, with the reason."""
        found = await asyncio.gather(
            _check("cosmos", agent.store.check(agent.name)),
            _check("llm", agent.provider.check()),
            *(_check(service.name, service.check()) for service in services),
        )
        healthy = all(dependency.status == "healthy" for dependency in found)
        response.status_code = 200 if healthy else 503
        return Health(agent=agent.name, status="healthy" if healthy else "degraded", dependencies=list(found))

    return routes
