"""The built-in model: deterministic, made of the request alone.

It answers with text about what was asked, with JSON that its schema accepts, or with calls of the tools it
was given. The same request always has the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.cognitiveservices import material, sampling, tokens
from sandbox.azure.cognitiveservices.chat_request import ChatRequest
from sandbox.azure.cognitiveservices.errors import invalid
from sandbox.azure.cognitiveservices.material import Material
from sandbox.azure.cognitiveservices.models import Model

#: Tokens that the model thinks before it answers; a real one's depend on the question.
THOUGHT: Mapping[str | None, int] = {"low": 64, "medium": 256, "high": 1_024, "xhigh": 4_096}

#: A message that holds this phrase is refused as Azure's content filter refuses violence.
FILTERED_PHRASE = "sandbox:content-filter"


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: str


@dataclass(frozen=True)
class Completion:
    """One answer: text or tool calls, why it ended, its tokens, and how many of these were `thought`."""

    text: str | None
    finish_reason: str
    tokens: int
    calls: Sequence[ToolCall] = field(default_factory=tuple)
    thought: int = 0


def filtered(request: ChatRequest) -> bool:
    return any(FILTERED_PHRASE in tokens.content_text(message) for message in request.messages)


def respond(request: ChatRequest, model: Model) -> Completion:
    """Raises the model's refusal when no answer fits the schema."""
    about = material.read(request.messages)
    called = _tool(request, about)
    if called is not None:
        arguments = json.dumps(_sample(called.get("parameters") or {"type": "object"}, about, "tools"))
        call = ToolCall(str(called["name"]), arguments)
        thought = THOUGHT.get(request.effort, 0)
        spent = thought + tokens.count(call.name) + tokens.count(call.arguments)
        return Completion(None, "tool_calls", spent, (call,), thought)
    if request.schema is None:
        text = _prose(about)
    elif request.schema:
        text = json.dumps(_sample(request.schema, about, "response_format"), ensure_ascii=False)
    else:
        text = json.dumps({"answer": _prose(about)}, ensure_ascii=False)
    return _ended(text, request, model)


def _ended(text: str, request: ChatRequest, model: Model) -> Completion:
    """Cut at a stop sequence and at the most tokens, which thinking may have used up."""
    for stop in request.stop:
        text = text.partition(stop)[0]
    pieces = tokens.split(text)
    most = min(request.max_tokens or model.output, model.output)
    thought = min(THOUGHT.get(request.effort, 0), most)
    left = most - thought
    if len(pieces) > left:
        return Completion("".join(pieces[:left]), "length", most, thought=thought)
    return Completion(text, "stop", thought + len(pieces), thought=thought)


def _tool(request: ChatRequest, about: Material) -> Mapping[str, Any] | None:
    """The function to call: the forced one; else, on a user's turn, one that the message names."""
    if request.tool_choice == "none" or not request.tools:
        return None
    forced = [tool for tool in request.tools if tool["name"] == request.tool_choice]
    named = [tool for tool in request.tools if _mentions(about.text, str(tool["name"]))]
    if forced:
        return forced[0]
    if request.tool_choice == "required":
        return (named or request.tools)[0]
    users_turn = request.messages[-1].get("role") == "user"
    return named[0] if named and users_turn else None


def _mentions(text: str, name: str) -> bool:
    words = text.lower()
    return name.lower() in words or name.lower().replace("_", " ").replace("-", " ") in words


def _prose(about: Material) -> str:
    return f"Regarding “{about.headline}”: {material.shorten(about.text, 600)}"


def _sample(schema: Mapping[str, Any], about: Material, param: str) -> Any:
    try:
        return sampling.sample(schema, about)
    except sampling.UnsatisfiableError as error:
        raise invalid(
            f"Invalid schema: no answer can satisfy it: {error}", param, "invalid_json_schema"
        ) from error
