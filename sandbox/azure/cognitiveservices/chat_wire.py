"""The JSON of chat completions, whole or in server-sent events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.cognitiveservices import tokens
from sandbox.azure.cognitiveservices.chat_request import ChatRequest
from sandbox.azure.cognitiveservices.errors import OpenAIError
from sandbox.azure.cognitiveservices.responder import Completion

_SAFE = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}
_PROMPT_FILTER = [
    {
        "prompt_index": 0,
        "content_filter_results": {**_SAFE, "jailbreak": {"filtered": False, "detected": False}},
    }
]
_FINGERPRINT = "fp_sandbox"


def content_filtered() -> OpenAIError:
    violence = {"filtered": True, "severity": "medium"}
    result = {**_SAFE, "violence": violence, "jailbreak": {"filtered": False, "detected": False}}
    return OpenAIError(
        400,
        "content_filter",
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry. To learn more about our content filtering policies please "
        "read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
        param="prompt",
        inner={"code": "ResponsibleAIPolicyViolation", "content_filter_result": result},
    )


@dataclass(frozen=True)
class Answer:
    """One request's answer: `model` is name and version, `choices` its n completions."""

    model: str
    request: ChatRequest
    choices: Sequence[Completion]
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def usage(self) -> dict[str, Any]:
        completion = sum(choice.tokens for choice in self.choices)
        details = {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": sum(choice.thought for choice in self.choices),
            "rejected_prediction_tokens": 0,
        }
        return {
            "prompt_tokens": self.request.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.request.prompt_tokens + completion,
            "completion_tokens_details": details,
            "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        }

    def whole(self) -> dict[str, Any]:
        choices = [
            {
                "index": index,
                "finish_reason": choice.finish_reason,
                "logprobs": None,
                "message": {
                    "role": "assistant",
                    "content": choice.text,
                    "refusal": None,
                    **self._calls(index),
                },
                "content_filter_results": {} if choice.calls else _SAFE,
            }
            for index, choice in enumerate(self.choices)
        ]
        return {
            **self._head("chat.completion"),
            "choices": choices,
            "usage": self.usage(),
            "prompt_filter_results": _PROMPT_FILTER,
        }

    def events(self) -> Iterator[bytes]:
        """Azure's order: prompt filter results, then role, content and end of each choice, then usage."""
        first = {
            **self._head("", id_="", created=0, model=""),
            "choices": [],
            "prompt_filter_results": _PROMPT_FILTER,
        }
        yield _event(first)
        for index, choice in enumerate(self.choices):
            yield self._chunk(
                index, {"role": "assistant", "content": None if choice.calls else "", "refusal": None}
            )
            for call in self._calls(index).get("tool_calls", ()):
                yield self._chunk(index, {"tool_calls": [{"index": 0, **call}]})
            for piece in tokens.split(choice.text or ""):
                yield self._chunk(index, {"content": piece})
            yield self._chunk(index, {}, choice.finish_reason)
        if self.request.include_usage:
            yield _event({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage()})
        yield b"data: [DONE]\n\n"

    def _chunk(self, index: int, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {
            "index": index,
            "delta": delta,
            "finish_reason": finish_reason,
            "logprobs": None,
            "content_filter_results": _SAFE if delta.get("content") else {},
        }
        usage = {"usage": None} if self.request.include_usage else {}
        return _event({**self._head("chat.completion.chunk"), "choices": [choice], **usage})

    def _calls(self, index: int) -> dict[str, Any]:
        calls = [
            {
                "id": f"call_{self.id[-16:]}{index}{number}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for number, call in enumerate(self.choices[index].calls)
        ]
        return {"tool_calls": calls} if calls else {}

    def _head(
        self, kind: str, *, id_: str | None = None, created: int | None = None, model: str | None = None
    ) -> dict[str, Any]:
        return {
            "id": self.id if id_ is None else id_,
            "object": kind,
            "created": self.created if created is None else created,
            "model": self.model if model is None else model,
            "system_fingerprint": _FINGERPRINT,
        }


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
