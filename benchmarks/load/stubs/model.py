"""`python -m benchmarks.load.stubs.model PORT`: Azure OpenAI's chat completions, at a set latency.

It answers with JSON that fits the request's schema, made as the sandbox's model makes it, and remembers the
last request and its answer, so that a repeated one costs next to nothing. Beside the API it has
`PUT /stub/latency` (milliseconds as text) and `GET /stub/request` (the last chat request's body).
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks.load.stubs.http import Answer, Request, answer_json, serve
from sandbox.azure.cognitiveservices import material, sampling, tokens

_COMPLETIONS = "/chat/completions"
_CREATED = 1_767_225_600


@dataclass
class Model:
    """Answers after `seconds`."""

    seconds: float = 0.0
    _body: bytes = b""
    _answer: Answer | None = None

    async def handle(self, request: Request) -> Answer:
        if request.path.endswith(_COMPLETIONS):
            if self.seconds:
                await asyncio.sleep(self.seconds)
            return self._complete(request.body)
        if request.path.endswith("/models"):
            return answer_json({"object": "list", "data": []})
        if request.path == "/stub/latency":
            self.seconds = float(request.body) / 1000
            return answer_json({"seconds": self.seconds})
        if request.path == "/stub/request":
            return Answer(self._body)
        return answer_json({"error": {"code": "404", "message": "Resource not found"}}, 404)

    def _complete(self, body: bytes) -> Answer:
        if self._answer is None or body != self._body:
            self._body, self._answer = body, answer_json(completion(json.loads(body)))
        return self._answer


def completion(chat: dict[str, Any]) -> dict[str, Any]:
    """The answer to a chat request: text that fits its `response_format`, if it has one."""
    schema = chat.get("response_format", {}).get("json_schema", {}).get("schema")
    about = material.read(chat["messages"])
    text = json.dumps(sampling.sample(schema, about), ensure_ascii=False) if schema else about.headline
    asked, given = tokens.count_messages(chat["messages"], schema), tokens.count(text)
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": _CREATED,
        "model": chat.get("model", "stub"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": given,
            "total_tokens": asked + given,
        },
    }


if __name__ == "__main__":
    serve(Model().handle, int(sys.argv[1]))
