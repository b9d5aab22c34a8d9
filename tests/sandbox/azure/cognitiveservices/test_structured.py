"""Answers of a wanted shape: structured outputs, and calls of tools."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any, Literal

import openai
import pytest
from openai import AzureOpenAI
from pydantic import BaseModel, Field

from tests.sandbox.azure.cognitiveservices.conftest import (
    ASK,
)


class Severity(StrEnum):
    LOW = "low"
    HIGH = "high"


class Step(BaseModel):
    order: int = Field(ge=1, le=9)
    text: str


class Notification(BaseModel):
    """Every kind of field that structured outputs allow."""

    subject: str
    body: str
    severity: Severity
    channel: Literal["email", "teams"]
    confidence: float = Field(ge=0, le=1)
    steps: list[Step] = Field(min_length=1, max_length=3)
    follow_up: Step | None
    ticket: str = Field(pattern=r"^INC-\d{4}$")
    labels: list[str]
    urgent: bool


def test_pydantic_structured_outputs(client: AzureOpenAI) -> None:
    parsed = client.chat.completions.parse(model="chat", messages=ASK, response_format=Notification)
    made = parsed.choices[0].message.parsed
    assert made is not None
    assert made.severity is Severity.HIGH
    assert made.subject == "The database failed over to North Europe."
    assert "Tell the team" in made.body
    assert re.fullmatch(r"INC-\d{4}", made.ticket)


def test_json_object_needs_the_word(client: AzureOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        client.chat.completions.create(model="chat", messages=ASK, response_format={"type": "json_object"})
    asked = [*ASK, {"role": "user", "content": "Answer in JSON."}]
    answer = client.chat.completions.create(
        model="chat", messages=asked, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(str(answer.choices[0].message.content)), dict)


@pytest.mark.parametrize(
    ("schema", "wording"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            "additionalProperties",
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "required": [],
                "additionalProperties": False,
            },
            "Missing 'a'",
        ),
        ({"type": "array", "items": {"type": "string"}}, 'type: "object"'),
    ],
)
def test_strict_schemas_are_checked(client: AzureOpenAI, schema: dict[str, Any], wording: str) -> None:
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    with pytest.raises(openai.BadRequestError, match=wording):
        client.chat.completions.create(model="chat", messages=ASK, response_format=wanted)


TOOL: Any = {
    "type": "function",
    "function": {
        "name": "open_ticket",
        "parameters": {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "priority": {"type": "integer", "minimum": 1, "maximum": 4},
            },
            "required": ["title", "priority"],
        },
    },
}


def test_tools_are_called_when_forced_or_named(client: AzureOpenAI) -> None:
    def call(messages: list[Any], **options: Any) -> Any:
        return client.chat.completions.create(
            model="chat", messages=messages, tools=[TOOL], **options
        ).choices[0]

    assert call(ASK).finish_reason == "stop"
    assert call(ASK, tool_choice="none").message.tool_calls is None
    for choice in ("required", {"type": "function", "function": {"name": "open_ticket"}}):
        forced = call(ASK, tool_choice=choice)
        assert forced.finish_reason == "tool_calls"
        arguments = json.loads(forced.message.tool_calls[0].function.arguments)
        assert 1 <= arguments["priority"] <= 4
    asked = [{"role": "user", "content": "Please open ticket for the outage."}]
    named = call(asked)
    assert named.message.tool_calls[0].function.name == "open_ticket"
    result = {
        "role": "tool",
        "tool_call_id": named.message.tool_calls[0].id,
        "content": "Ticket 17 was opened.",
    }
    after = call([*asked, named.message, result])
    assert (after.finish_reason, "Ticket 17" in after.message.content) == ("stop", True)


def test_streamed_tool_calls(client: AzureOpenAI) -> None:
    with client.chat.completions.stream(
        model="chat", messages=ASK, tools=[TOOL], tool_choice="required"
    ) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls
    assert json.loads(calls[0].function.arguments)["title"]
