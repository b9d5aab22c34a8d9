"""A chat completion request, checked as the models check it: every refusal names its parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.azure.cognitiveservices import strictness
from sandbox.azure.cognitiveservices.errors import invalid
from sandbox.azure.cognitiveservices.models import Model
from sandbox.azure.cognitiveservices.tokens import content_text, count_messages

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
#: Parameters that shape the choice of tokens, with what they are unless they are given.
_SAMPLING: Mapping[str, Any] = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": None,
    "logit_bias": None,
}
_KNOWN = frozenset(
    {
        "model", "messages", "max_tokens", "max_completion_tokens", "n", "stop", "stream", "stream_options",
        "response_format", "tools", "tool_choice", "parallel_tool_calls", "user", "seed", "store", "metadata",
        "reasoning_effort", "verbosity", "modalities", "prediction", "data_sources", "service_tier",
        "prompt_cache_key", "safety_identifier", "user_security_context", *_SAMPLING,
    }
)  # fmt: skip
# What OpenAI's models take while they do not think; the rest of the above they never take.
# https://developers.openai.com/api/docs/guides/latest-model?model=gpt-5.4
_UNTHOUGHT = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "n": (1, 128),
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
}


@dataclass(frozen=True)
class ChatRequest:
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int | None
    n: int
    stop: tuple[str, ...]
    stream: bool
    include_usage: bool
    #: None for text; {} for any JSON object; else the schema.
    schema: Mapping[str, Any] | None
    tools: Sequence[Mapping[str, Any]]
    #: auto, none, required, or the name of one function.
    tool_choice: str
    prompt_tokens: int
    #: How long to think; None where the model cannot.
    effort: str | None = None


def read(body: Mapping[str, Any], model: Model) -> ChatRequest:
    for name in body:
        if name not in _KNOWN:
            raise invalid(f"Unrecognized request argument supplied: {name}")
    messages = _messages(body)
    for name, (low, high) in _RANGES.items():
        _check_range(body, name, low, high)
    effort = _effort(body, model)
    if model.reasoning:
        _check_reasoning(body)
    tools, choice = _tools(body)
    schema = _schema(body, messages)
    stream = _flag(body, "stream")
    return ChatRequest(
        messages=messages,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        n=body.get("n") or 1,
        stop=_stop(body),
        stream=stream,
        include_usage=_include_usage(body, stream=stream),
        schema=schema,
        tools=tools,
        tool_choice=choice,
        prompt_tokens=_prompt_tokens(messages, tools, schema, model),
        effort=effort,
    )


def _messages(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = body.get("messages")
    if messages is None:
        raise invalid("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if not isinstance(messages, list) or not messages:
        raise invalid(
            "Invalid 'messages': expected a non-empty array of messages.", "messages", "empty_array"
        )
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        if not isinstance(message, dict):
            raise invalid(f"Invalid type for '{place}': expected an object.", place, "invalid_type")
        if not isinstance(message.get("role"), str) or message["role"] not in _ROLES:
            supported = ", ".join(f"'{role}'" for role in sorted(_ROLES))
            raise invalid(
                f"Invalid value: '{message.get('role')}'. Supported values are: {supported}.",
                f"{place}.role",
                "invalid_value",
            )
        content = message.get("content")
        if content is None and not message.get("tool_calls"):
            raise invalid("Invalid value for 'content': expected a string, got null.", f"{place}.content")
        if content is not None and not isinstance(content, str | list):
            raise invalid(f"Invalid type for '{place}.content'.", f"{place}.content", "invalid_type")
        if message["role"] == "tool" and not isinstance(message.get("tool_call_id"), str):
            raise invalid(f"Missing parameter 'tool_call_id' of '{place}'.", f"{place}.tool_call_id")
    return messages


def _check_range(body: Mapping[str, Any], name: str, low: float, high: float) -> None:
    value = body.get(name)
    if value is None:
        return
    whole = name in {"n", "max_tokens", "max_completion_tokens"}
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        wanted = "an integer" if whole else "a number"
        raise invalid(f"Invalid type for '{name}': expected {wanted}.", name, "invalid_type")
    if value < low:
        raise invalid(
            f"Invalid '{name}': expected a value >= {low}, but got {value} instead.", name, "below_min_value"
        )
    if value > high:
        raise invalid(
            f"Invalid '{name}': expected a value <= {high}, but got {value} instead.", name, "above_max_value"
        )


def _effort(body: Mapping[str, Any], model: Model) -> str | None:
    asked = body.get("reasoning_effort")
    if model.reasoning is None:
        if asked is not None:
            raise invalid("Unrecognized request argument supplied: reasoning_effort")
        return None
    if asked is None:
        return model.reasoning.default
    if asked not in model.reasoning.efforts:
        *others, last = (f"'{effort}'" for effort in model.reasoning.efforts)
        raise invalid(
            f"Unsupported value: 'reasoning_effort' does not support '{asked}' with this model. Supported "
            f"values are: {', '.join(others)}, and {last}.",
            "reasoning_effort",
            "unsupported_value",
        )
    return str(asked)


def _check_reasoning(body: Mapping[str, Any]) -> None:
    """Sources disagree on who thinks without being told to: only an effort of none that is said counts."""
    if body.get("max_tokens") is not None:
        raise invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    unthought = _UNTHOUGHT if body.get("reasoning_effort") == "none" else frozenset[str]()
    for name, default in _SAMPLING.items():
        if name not in unthought and body.get(name) not in (None, default):
            raise invalid(
                f"Unsupported value: '{name}' does not support {body[name]} with this model. Only the "
                f"default ({default}) value is supported.",
                name,
                "unsupported_value",
            )


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"Invalid type for '{name}': expected a boolean.", name, "invalid_type")
    return bool(value)


def _include_usage(body: Mapping[str, Any], *, stream: bool) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    if not stream:
        raise invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options"
        )
    if not isinstance(options, dict):
        raise invalid(
            "Invalid type for 'stream_options': expected an object.", "stream_options", "invalid_type"
        )
    return _flag(options, "include_usage")


def _stop(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if (
        not isinstance(stops, list)
        or len(stops) > 4
        or not all(isinstance(one, str) and one for one in stops)
    ):
        raise invalid("Invalid 'stop': expected a string or up to four strings.", "stop", "invalid_type")
    return tuple(stops)


def _schema(body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    wanted = body.get("response_format")
    if wanted is None:
        return None
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        if not any("json" in content_text(message).lower() for message in messages):
            raise invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                "'json_object'.",
                "messages",
            )
        return {}
    if kind != "json_schema":
        raise invalid(
            f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'.",
            "response_format.type",
            "invalid_value",
        )
    return _named_schema(wanted.get("json_schema"))


def _named_schema(given: Any) -> Mapping[str, Any]:
    place = "response_format.json_schema"
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise invalid(
            f"Missing required parameter: '{place}.name'.", f"{place}.name", "missing_required_parameter"
        )
    schema = given.get("schema")
    if not isinstance(schema, dict):
        raise invalid(
            f"Missing required parameter: '{place}.schema'.", f"{place}.schema", "missing_required_parameter"
        )
    if given.get("strict"):
        strictness.check(given["name"], schema, "response_format")
    return schema


def _tools(body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], str]:
    tools = body.get("tools") or []
    if not isinstance(tools, list):
        raise invalid("Invalid type for 'tools': expected an array.", "tools", "invalid_type")
    functions: list[Mapping[str, Any]] = []
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise invalid(f"Missing required parameter: 'tools[{number}].function.name'.", f"tools[{number}]")
        parameters = function.get("parameters") or {}
        if not isinstance(parameters, dict):
            place = f"tools[{number}].function.parameters"
            raise invalid(f"Invalid type for '{place}': expected an object.", place, "invalid_type")
        if function.get("strict"):
            strictness.check(function["name"], parameters, "function")
        functions.append(function)
    return functions, _choice(body.get("tool_choice"), functions)


def _choice(choice: Any, functions: Sequence[Mapping[str, Any]]) -> str:
    if choice is None:
        return "auto" if functions else "none"
    if not functions:
        raise invalid("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
    if choice in ("auto", "none", "required"):
        return str(choice)
    function = choice.get("function") if isinstance(choice, dict) else None
    named = function.get("name") if isinstance(function, dict) else None
    if named not in [function["name"] for function in functions]:
        raise invalid(f"Tool choice '{named}' not found in 'tools' parameter.", "tool_choice")
    return str(named)


def _prompt_tokens(messages: Any, tools: Any, schema: Any, model: Model) -> int:
    prompt = count_messages(messages, tools, schema)
    if prompt > model.most_prompt:
        raise invalid(
            f"This model's maximum context length is {model.most_prompt} tokens. However, your messages "
            f"resulted in {prompt} tokens. Please reduce the length of the messages.",
            "messages",
            "context_length_exceeded",
        )
    return prompt
