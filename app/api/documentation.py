"""The OpenAPI document: FastAPI's, with the problems, the tokens, and the schemas and examples of prompts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from app.agents.agent import Agent
from app.agents.definition import Definition

_TYPE = "urn:agents:problem:"
#: What each status can mean: (type, an example of its detail).
_EXAMPLES: dict[int, list[tuple[str, str]]] = {
    400: [
        ("http", "There was an error parsing the body"),
        ("nothing-to-ask", "no provider is called gpt; there are azure-openai, azure-openai-backup"),
    ],
    401: [("unauthorized", "A bearer token of Entra ID is needed.")],
    403: [("forbidden", "The token lacks the app role Agents.Execute.")],
    404: [("http", "There is no execution 00000000-0000-0000-0000-000000000000 of agent notification.")],
    413: [("too-large", "The request is larger than 1048576 bytes.")],
    422: [
        ("invalid-input", "The request does not fit the agent's input schema."),
        ("key-reused", "The idempotency key was used for another request; take a new one."),
        ("content-filtered", "The provider's content filter held the request back."),
    ],
    429: [
        ("rate-limited", "More than 600 per 1 minute of one caller; try again in 12 s."),
        (
            "over-budget",
            "notification has used 400000 of 400000 tokens; more from 00:00 UTC.",
        ),
    ],
    502: [("llm-failed", "The model's answer is not JSON.")],
    503: [
        ("llm-exhausted", "no model provider can answer now (azure-openai: Too many requests)"),
        ("store-failed", "Request rate is large."),
        ("authentication-unavailable", "No token can be judged: the issuer's keys cannot be fetched."),
    ],
    504: [("deadline-exceeded", "the time for this request ran out before a model answered")],
}


class Fault(BaseModel):
    """A place in the request that is wrong, as a JSON path."""

    path: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    type: str = Field(pattern=f"^{_TYPE}[a-z-]+$")
    title: str
    status: int
    detail: str
    correlation_id: str
    problems: list[Fault] = []


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer so."""
    return {status: _response(status) for status in statuses}


def _response(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    examples = {
        kind: {
            "value": {
                "type": _TYPE + kind,
                "title": title,
                "status": status,
                "detail": detail,
                "correlationId": "incident-7",
            }
        }
        for kind, detail in _EXAMPLES[status]
    }
    return {
        "description": title,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": examples,
            }
        },
    }


def install(app: FastAPI, agent: Agent, *, authenticated: bool) -> None:
    """Make the document follow the agent's definition, which may change while the application runs."""
    app.openapi = _Document(app, agent, authenticated)  # type: ignore[method-assign]


class _Document:
    """Made anew when the definition is another one."""

    def __init__(self, app: FastAPI, agent: Agent, authenticated: bool) -> None:
        self._app, self._agent, self._authenticated = app, agent, authenticated
        self._made: tuple[Definition, dict[str, Any]] | None = None

    def __call__(self) -> dict[str, Any]:
        definition = self._agent.source.current
        if self._made is None or self._made[0] is not definition:
            self._made = definition, self._make(definition)
        return self._made[1]

    def _make(self, definition: Definition) -> dict[str, Any]:
        document = get_openapi(
            title=self._app.title,
            version=definition.default.meta.version,
            description=definition.default.meta.description,
            routes=self._app.routes,
        )
        components = document["components"]
        shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= {**shape.pop("$defs"), "Problem": shape}
        components["schemas"]["ExecuteRequest"] = _request(definition)
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        if self._authenticated:
            components["securitySchemes"] = {
                "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            }
            for path, operations in document["paths"].items():
                if "/execut" in path:
                    for operation in operations.values():
                        operation["security"] = [{"entra": []}]
        return document


def _request(definition: Definition) -> dict[str, Any]:
    """One alternative a prompt: its name (optional for the default one) and its own input schema."""
    return {
        "title": "ExecuteRequest",
        "anyOf": [
            {
                "title": name,
                "type": "object",
                "description": definition.library.served(name).meta.description,
                "additionalProperties": False,
                "required": ["input"] if name == definition.declaration.default else ["input", "prompt"],
                "properties": {
                    "prompt": {"type": "string", "enum": [name]},
                    "input": definition.library.served(name).meta.input,
                },
            }
            for name in definition.library.names
        ],
        "examples": [{"input": example} for example in definition.default.meta.examples],
    }
