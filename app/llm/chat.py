"""What a model is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.llm import tokens
from app.prompts.prompt import Prompt

Message = dict[str, str]


@dataclass(frozen=True)
class Chat:
    """One call: the messages, and how the answer must look."""

    messages: Sequence[Message]
    schema: dict[str, Any]
    temperature: float
    max_tokens: int

    @classmethod
    def of(cls, prompt: Prompt, messages: Sequence[Message]) -> Chat:
        model = prompt.meta.model
        return cls(messages, prompt.meta.output, model.temperature, model.max_tokens)

    @property
    def prompt_tokens(self) -> int:
        """About what the messages and the schema cost; the provider's own count comes with its answer."""
        return tokens.estimate(self.messages, self.schema)


@dataclass(frozen=True)
class Answer:
    """A model's text, not looked at yet. `finish_reason` as the chat completions API has it."""

    text: str
    provider: str
    model: str
    id: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Completion:
    """An answer that fits the prompt's output schema, who gave it, and what it cost in tokens."""

    output: dict[str, Any]
    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
