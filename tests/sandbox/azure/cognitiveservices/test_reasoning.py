"""Models that think before they answer: their parameters, and what thinking costs."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AzureOpenAI

from tests.sandbox.azure.cognitiveservices.conftest import (
    ASK,
)


@pytest.mark.parametrize(
    ("model", "given", "code", "said"),
    [
        ("thinker", {"max_tokens": 5}, "unsupported_parameter", "Use 'max_completion_tokens' instead"),
        ("thinker", {"temperature": 0.2}, "unsupported_value", "Only the default (1) value is supported"),
        ("thinker", {"temperature": 0.2, "reasoning_effort": "low"}, "unsupported_value", "temperature"),
        ("thinker", {"presence_penalty": 1, "reasoning_effort": "none"}, "unsupported_value", "penalty"),
        ("thinker", {"reasoning_effort": "minimal"}, "unsupported_value", "'none', 'low', 'medium', 'high'"),
        ("chat", {"reasoning_effort": "none"}, None, "Unrecognized request argument supplied"),
    ],
    ids=["limit", "temperature", "temperature-low", "penalty", "effort", "no-reasoning"],
)
def test_reasoning_models_have_their_own_parameters(
    client: AzureOpenAI, model: str, given: dict[str, Any], code: str | None, said: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=ASK, **given)
    assert refused.value.code == code
    assert said in refused.value.message


def test_a_model_that_does_not_think_takes_a_temperature(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(
        model="thinker", messages=ASK, temperature=0.2, reasoning_effort="none", max_completion_tokens=300
    )
    assert answer.model == "gpt-5.4-mini-2026-03-17"
    assert answer.choices[0].finish_reason == "stop"
    assert _thought(answer) == 0


def test_a_model_without_reasoning_takes_the_newer_limit_too(client: AzureOpenAI) -> None:
    answer = client.chat.completions.create(model="chat", messages=ASK, max_completion_tokens=5)
    assert (answer.choices[0].finish_reason, answer.usage and answer.usage.completion_tokens) == ("length", 5)


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_costs_tokens_and_may_use_up_all_of_them(client: AzureOpenAI, *, stream: bool) -> None:
    def ask(most: int) -> tuple[str, str, int, int]:
        asked: dict[str, Any] = {
            "model": "thinker",
            "messages": ASK,
            "reasoning_effort": "low",
            "max_completion_tokens": most,
        }
        if not stream:
            answer = client.chat.completions.create(**asked)
            choice, usage = answer.choices[0], answer.usage
            assert usage is not None
            return (
                choice.message.content or "",
                choice.finish_reason,
                usage.completion_tokens,
                _thought(answer),
            )
        chunks = list(
            client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        )
        choices = [choice for chunk in chunks for choice in chunk.choices]
        text = "".join(choice.delta.content or "" for choice in choices)
        return text, choices[-1].finish_reason, chunks[-1].usage.completion_tokens, _thought(chunks[-1])

    text, ended, spent, thought = ask(1000)
    assert (ended, bool(text)) == ("stop", True)
    assert 0 < thought < spent
    assert ask(thought) == ("", "length", thought, thought)


def _thought(answer: Any) -> int:
    return int(answer.usage.completion_tokens_details.reasoning_tokens)
