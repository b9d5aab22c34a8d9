"""A local Ollama in the built-in responder's place, through its OpenAI-compatible API.

`AGENTS_SANDBOX_OLLAMA` is its base URL (as seen from the sandbox's network); the model is the deployment's,
or `AGENTS_SANDBOX_OLLAMA_MODEL`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.azure.cognitiveservices.errors import OpenAIError, gateway

# https://github.com/ollama/ollama/blob/main/docs/api/openai-compatibility.mdx
_AZURES = frozenset({"max_completion_tokens", "reasoning_effort"})
_TIMEOUT = httpx.Timeout(300, connect=5)


@dataclass(frozen=True)
class Ollama:
    url: str
    model: str | None = None

    async def complete(self, body: Mapping[str, Any], model: str) -> dict[str, Any]:
        """A whole chat completion. Raises the gateway's 503 when Ollama cannot be reached."""
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
                answer = await client.post(self._endpoint, json=self._body(body, model))
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        self._check(answer)
        completion: dict[str, Any] = answer.json()
        return completion

    async def stream(self, body: Mapping[str, Any], model: str) -> AsyncIterator[bytes]:
        """The server-sent events, once the first byte is there; a refusal is raised before any."""
        client = httpx.AsyncClient(timeout=_TIMEOUT)
        try:
            request = client.build_request("POST", self._endpoint, json=self._body(body, model))
            answer = await client.send(request, stream=True)
            if answer.is_error:
                await answer.aread()
                self._check(answer)
        except httpx.HTTPError as error:
            await client.aclose()
            raise self._unreachable(error) from error
        except OpenAIError:
            await client.aclose()
            raise
        return self._relay(client, answer)

    @staticmethod
    async def _relay(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_bytes():
                yield chunk
        finally:
            await answer.aclose()
            await client.aclose()

    @property
    def _endpoint(self) -> str:
        return f"{self.url.rstrip('/')}/v1/chat/completions"

    def _body(self, body: Mapping[str, Any], model: str) -> dict[str, Any]:
        """What Ollama has no name for is said as it knows it, or left out."""
        asked = {name: value for name, value in body.items() if name not in _AZURES}
        most = body.get("max_completion_tokens")
        return {**asked, "model": self.model or model, **({"max_tokens": most} if most else {})}

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_error:
            status = min(500, answer.status_code)
            raise gateway(
                status, "OllamaError", f"Ollama at {self.url} answered {answer.status_code}: {answer.text}"
            )

    def _unreachable(self, error: httpx.HTTPError) -> OpenAIError:
        return gateway(
            503, "ServiceUnavailable", f"Ollama at {self.url} cannot be reached: {error or type(error)}"
        )


def configured() -> Ollama | None:
    url = os.environ.get("AGENTS_SANDBOX_OLLAMA")
    return Ollama(url, os.environ.get("AGENTS_SANDBOX_OLLAMA_MODEL")) if url else None
