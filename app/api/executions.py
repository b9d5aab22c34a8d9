"""Run an agent, and read what it did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from app.agents.agent import Agent
from app.agents.run import Run
from app.api import streaming
from app.api.documentation import problems
from app.api.options import RequestOptions
from app.store.executions import Execution
from app.telemetry.logs import correlation_id

ExecutionId = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="A name of the caller's for this request: sent again under it, the request runs once.",
    ),
]


class ExecuteRequest(BaseModel):
    """`input` must fit the input schema of `prompt`, which is the agent's default one unless it is named."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any]
    prompt: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{0,62}$")


class ExecutionPage(BaseModel):
    """Newest first. `after` asks for the next page; null on the last."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    executions: list[Execution]
    after: str | None


def router(agent: Agent) -> APIRouter:
    routes = APIRouter(prefix=f"/api/{agent.name}", tags=[agent.name], responses=problems(401, 403, 429, 503))

    async def execute(
        body: ExecuteRequest,
        request: Request,
        response: Response,
        options: RequestOptions,
        idempotency_key: IdempotencyKey = None,
    ) -> Execution | Response:
        """Run the agent once and answer when the execution is stored.

        With `Accept: text/event-stream`, the model's text is sent as it comes, and then the execution.
        """
        # One caller's key is none of another's business.
        once = f"key:{request.state.caller.id}:{idempotency_key}" if idempotency_key else None
        run = Run(body.input, correlation_id.get(), body.prompt, once)
        if streaming.wanted(request):
            return await streaming.answer(request, agent.stream(run, options))
        execution = await agent.execute(run, options)
        response.headers["x-llm-provider"] = execution.provider
        response.headers["x-llm-model"] = execution.model
        return execution

    routes.post(
        "/execute",
        response_model=Execution,
        responses={**problems(400, 413, 422, 502, 504), **streaming.DOCUMENTED},
    )(execute)

    @routes.get("/executions", responses=problems(422))
    async def read_page(
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(min_length=1, max_length=8192)] = None,
    ) -> ExecutionPage:
        """Stored executions, newest first."""
        page = await agent.store.list(agent.name, limit, after)
        return ExecutionPage(executions=list(page.executions), after=page.after)

    @routes.get("/executions/{execution_id}", responses=problems(404, 422))
    async def read(execution_id: ExecutionId) -> Execution:
        """One stored execution."""
        execution = await agent.store.find(agent.name, execution_id)
        if execution is None:
            raise HTTPException(404, f"There is no execution {execution_id} of agent {agent.name}.")
        return execution

    return routes
