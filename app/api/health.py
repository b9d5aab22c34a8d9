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
from app.llm.health import ProviderReport, why_unusable
from app.llm.router import Router
from app.readiness import Readiness

# Longer than any healthy answer, shorter than what a person or a probe waits.
_TIMEOUT_SECONDS = 5


class ModelProvider(BaseModel):
    """One of the providers behind `llm`; `skipped`: taken out by LLMProvider__Skip."""

    name: str
    model: str
    status: Literal["healthy", "unhealthy", "skipped"]
    breaker: Literal["closed", "half_open", "open"]
    http_status: int | None = None
    reason: str | None = None

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    @classmethod
    def of(cls, report: ProviderReport) -> ModelProvider:
        unreachable = report.error is not None
        return cls(
            name=report.name,
            model=report.model,
            status="skipped" if report.skipped else "unhealthy" if unreachable else "healthy",
            breaker=report.breaker.value,
            http_status=report.error.status if report.error else None,
            reason=str(report.error) if report.error else None,
        )


class Dependency(BaseModel):
    """One dependency as this pod's identity sees it."""

    name: str
    status: Literal["healthy", "unhealthy"]
    http_status: int | None = None
    reason: str | None = None

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Models(Dependency):
    """`llm`: every provider behind it, in the order in which they are asked."""

    providers: list[ModelProvider]


class Health(BaseModel):
    agent: str
    status: Literal["healthy", "degraded"]
    dependencies: list[Models | Dependency]


async def _check(name: str, call: Awaitable[None]) -> Dependency:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await call
    except TimeoutError:
        return Dependency(name=name, status="unhealthy", reason=f"no answer within {_TIMEOUT_SECONDS} s")
    except DependencyError as error:
        return Dependency(name=name, status="unhealthy", http_status=error.status, reason=str(error))
    return Dependency(name=name, status="healthy")


async def _llm(router: Router) -> Models:
    """Healthy while any provider is; what each of them is like is said in any case."""
    reports = await router.report()
    providers = [ModelProvider.of(report) for report in reports]
    error = why_unusable(reports)
    if error is None:
        return Models(name="llm", status="healthy", providers=providers)
    return Models(
        name="llm",
        status="unhealthy",
        http_status=error.status,
        reason=f"{error.provider}: {error}",
        providers=providers,
    )


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
            _llm(agent.llm),
            *(_check(service.name, service.check()) for service in services),
        )
        healthy = all(dependency.status == "healthy" for dependency in found)
        response.status_code = 200 if healthy else 503
        return Health(agent=agent.name, status="healthy" if healthy else "degraded", dependencies=list(found))

    return routes
