"""The data plane: `https://<subdomain>.openai.<suffix>/openai/…`, by deployment and on the v1 surface.

Order of a request: account by host name, authentication and authorization, deployment, body, rate limit,
answer. Every answer carries Azure's request ids and, where there are limits, what is left of them.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.arm import regions
from sandbox.arm.resource import Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.cognitiveservices import (
    access,
    chat_request,
    chat_wire,
    embedding,
    errors,
    firewall,
    models,
    responder,
)
from sandbox.azure.cognitiveservices.access import Access
from sandbox.azure.cognitiveservices.deployed import Deployed, account_of, deployment_of
from sandbox.azure.cognitiveservices.lifecycle import Stage, Version
from sandbox.azure.cognitiveservices.ollama import Ollama
from sandbox.azure.cognitiveservices.rates import RateLimiter
from sandbox.azure.cognitiveservices.responder import Completion
from sandbox.azure.dataplane import host, json_object
from sandbox.services import Services

_API_VERSION = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?")
_V1 = "/openai/v1/"
#: Tokens Azure sets aside for an answer when the request does not limit it.
_ANSWER_ESTIMATE = 256
# As ARM's names would be written here; the first alone is documented.
_STATUS = {
    Stage.AVAILABLE: "generally-available",
    Stage.LEGACY: "legacy",
    Stage.CLOSED: "deprecating",
    Stage.RETIRED: "deprecated",
}


@dataclass
class Call:
    """One request: `headers` gathers what every answer to it carries."""

    request: Request
    account: Resource
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def on_v1(self) -> bool:
        return self.request.url.path.startswith(_V1)


class OpenAIPlane:
    def __init__(self, services: Services, limiter: RateLimiter, ollama: Ollama | None = None) -> None:
        self._services = services
        self._access = Access(services, account_keys(services.config.state))
        self._limiter = limiter
        self._ollama = ollama

    def app(self) -> Starlette:
        def route(path: str, endpoint: Callable[[Call], Awaitable[Response]], method: str) -> Route:
            async def run(request: Request) -> Response:
                return await self._answer(request, endpoint, method)

            return Route(path, run, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])

        deployment = "/openai/deployments/{deployment}"
        return Starlette(
            routes=[
                route(f"{deployment}/chat/completions", self.chat, "POST"),
                route(f"{deployment}/embeddings", self.embeddings, "POST"),
                route("/openai/models", self.models, "GET"),
                route("/openai/models/{model}", self.model, "GET"),
                route("/openai/v1/chat/completions", self.chat, "POST"),
                route("/openai/v1/embeddings", self.embeddings, "POST"),
                route("/openai/v1/models", self.models, "GET"),
                route("/openai/v1/models/{model}", self.model, "GET"),
                route("/{path:path}", self.nothing, ""),
            ],
            exception_handlers={HTTPException: _refuse},
        )

    async def _answer(
        self, request: Request, endpoint: Callable[[Call], Awaitable[Response]], method: str
    ) -> Response:
        headers = {"apim-request-id": str(uuid.uuid4()), "x-request-id": str(uuid.uuid4())}
        try:
            account = account_of(self._services.store, host(request))
            headers["x-ms-region"] = regions.DISPLAY.get(account.location or "", account.location or "")
            firewall.require(self._services, account, request)
            call = Call(request, account, headers)
            if request.method != method:
                raise errors.resource_not_found()
            return await endpoint(call)
        except errors.OpenAIError as error:
            return JSONResponse(error.body(), error.status, {**headers, **error.headers})

    async def chat(self, call: Call) -> Response:
        self._enter(call, access.CHAT, "chat/completions")
        body = await _body(call.request)
        deployed = self._deployment(call, body)
        if deployed.model.kind != "chat":
            raise errors.operation_not_supported("chatCompletion", deployed.model.name)
        asked = chat_request.read(body, deployed.model)
        answer_tokens = asked.max_tokens or _ANSWER_ESTIMATE
        self._meter(call, deployed, asked.prompt_tokens + answer_tokens * asked.n, "ChatCompletions_Create")
        if responder.filtered(asked):
            raise chat_wire.content_filtered()
        if self._ollama is not None:
            return await self._relay(call, self._ollama, body, deployed, stream=asked.stream)
        completions: list[Completion] = [responder.respond(asked, deployed.model)] * asked.n
        answer = chat_wire.Answer(deployed.full_name, asked, completions)
        if asked.stream:
            return StreamingResponse(answer.events(), headers=call.headers, media_type="text/event-stream")
        return JSONResponse(answer.whole(), headers=call.headers)

    async def embeddings(self, call: Call) -> Response:
        self._enter(call, access.EMBEDDINGS, "embeddings")
        body = await _body(call.request)
        deployed = self._deployment(call, body)
        if deployed.model.kind != "embeddings":
            raise errors.operation_not_supported("embeddings", deployed.model.name)
        texts = embedding.read(body, deployed.model)
        answer = embedding.answer(body, deployed.model, texts)
        self._meter(call, deployed, answer["usage"]["total_tokens"], "Embeddings_Create")
        return JSONResponse(answer, headers=call.headers)

    async def models(self, call: Call) -> Response:
        self._access.require(call.request, call.account, access.MODELS, "GET /openai/models")
        listed = [_model(model, version) for model in models.MODELS for version in model.versions]
        return JSONResponse({"object": "list", "data": listed}, headers=call.headers)

    async def model(self, call: Call) -> Response:
        self._access.require(call.request, call.account, access.MODELS, "GET /openai/models/{model-id}")
        name = call.request.path_params["model"]
        for model in models.MODELS:
            for version in model.versions:
                if name in (model.name, f"{model.name}-{version.name}"):
                    return JSONResponse(_model(model, version), headers=call.headers)
        raise errors.resource_not_found()

    async def nothing(self, _call: Call) -> Response:
        raise errors.resource_not_found()

    def _enter(self, call: Call, action: str, path: str) -> None:
        """Version and rights: what is looked at before the body."""
        if not call.on_v1 and not _API_VERSION.fullmatch(call.request.query_params.get("api-version", "")):
            raise errors.resource_not_found()
        route = f"/openai/v1/{path}" if call.on_v1 else f"/openai/deployments/{{deployment-id}}/{path}"
        self._access.require(call.request, call.account, action, f"POST {route}")

    def _deployment(self, call: Call, body: Mapping[str, Any]) -> Deployed:
        name = body.get("model") if call.on_v1 else call.request.path_params["deployment"]
        if not isinstance(name, str) or not name:
            raise errors.invalid("you must provide a model parameter", "model", "missing_required_parameter")
        return deployment_of(self._services.store, call.account, name)

    def _meter(self, call: Call, deployed: Deployed, tokens: int, operation: str) -> None:
        if deployed.limits is None:
            return
        verdict = self._limiter.admit(deployed.key, deployed.limits, tokens)
        call.headers.update(verdict.headers(deployed.limits))
        if verdict.wait is None:
            return
        seconds = max(1, math.ceil(verdict.wait))
        version = call.request.query_params.get("api-version", "v1")
        raise errors.gateway(
            429,
            "429",
            f"Requests to the {operation} Operation under Azure OpenAI API version {version} have exceeded "
            f"{verdict.limit} rate limit of your current OpenAI S0 pricing tier. Please retry after "
            f"{seconds} seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to "
            "further increase the default rate limit.",
            **{"Retry-After": str(seconds), "retry-after-ms": str(math.ceil(verdict.wait * 1000))},
        )

    async def _relay(
        self, call: Call, ollama: Ollama, body: Mapping[str, Any], deployed: Deployed, *, stream: bool
    ) -> Response:
        if stream:
            events = await ollama.stream(body, deployed.model.name)
            return StreamingResponse(events, headers=call.headers, media_type="text/event-stream")
        answer = await ollama.complete(body, deployed.model.name)
        return JSONResponse({**answer, "model": deployed.full_name}, headers=call.headers)


async def _refuse(_request: Request, _error: Exception) -> Response:
    """Methods that HTTP has but no operation."""
    refusal = errors.resource_not_found()
    return JSONResponse(refusal.body(), refusal.status)


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        return await json_object(request)
    except ValueError as error:
        raise errors.invalid(f"We could not parse the JSON body of your request: {error}") from error


def _model(model: models.Model, version: Version) -> dict[str, Any]:
    chat = model.kind == "chat"
    return {
        "id": f"{model.name}-{version.name}",
        "object": "model",
        "created": 0,
        "owned_by": "azure-openai",
        "status": "succeeded",
        "lifecycle_status": _STATUS[version.stage],
        "capabilities": {
            "chat_completion": chat,
            "embeddings": not chat,
            "completion": False,
            "fine_tune": False,
            "inference": True,
        },
    }
