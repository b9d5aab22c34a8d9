"""Run an agent, and read what it did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, JsonValue

from app.agents.agent import Agent
from app.api import streaming
from app.api.options import RequestOptions
from app.store.executions import Execution
from app.telemetry.logs import correlation_id

ExecutionId = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


def router(agent: Agent) -> APIRouter:
    routes = APIRouter(prefix=f"/api/{agent.name}", tags=[agent.name])
    examples: list[JsonValue] = [{"input": example} for example in agent.prompt.meta.examples]

    class ExecuteRequest(BaseModel):
        """`input` must fit the agent's input schema."""

        model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": examples})

        input: dict[str, Any]

    async def execute(
        body: ExecuteRequest, request: Request, response: Response, options: RequestOptions
    ) -> Execution | Response:
        """Run the agent once and answer when the execution is stored.

        With `Accept: text/event-stream`, the model's text is sent as it comes, and then the execution.
        """
        if streaming.wanted(request):
            return await streaming.answer(request, agent.stream(body.input, correlation_id.get(), options))
        execution = await agent.execute(body.input, correlation_id.get(), options)
        response.headers["x-llm-provider"] = execution.provider
        response.headers["x-llm-model"] = execution.model
        return execution

    # With postponed annotations FastAPI would look for the class among the module's names.
    execute.__annotations__["body"] = ExecuteRequest
    routes.post("/execute", response_model=Execution, responses=streaming.DOCUMENTED)(execute)

    @routes.get("/executions/{execution_id}")
    async def read(execution_id: ExecutionId) -> Execution:
        """One stored execution."""
        execution = await agent.store.find(agent.name, execution_id)
        if execution is None:
            raise HTTPException(404, f"There is no execution {execution_id} of agent {agent.name}.")
        return execution

    return routes
