"""One language-model provider: Azure OpenAI or Ollama, both through the `openai` SDK."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import Any, cast

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import get_bearer_token_provider
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, OpenAIError

from app.dependency import DependencyError
from app.llm.metering import Meter
from app.prompts.prompt import Prompt, violations
from app.settings import LLMSettings
from app.telemetry.metrics import LLM_DURATION

# https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity
SCOPE = "https://cognitiveservices.azure.com/.default"


# Fewer than a token of English has, so that the estimate is too high rather than too low.
_CHARACTERS_PER_TOKEN = 3


class LLMError(DependencyError):
    """The provider did not answer usefully. `status` is its HTTP status, None when it was not reached."""

    def __init__(
        self, provider: str, message: str, status: int | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(message, status)
        self.provider, self.retry_after = provider, retry_after


@dataclass(frozen=True)
class Completion:
    """An answer that fits the prompt's output schema, and what it cost in tokens."""

    output: dict[str, Any]
    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int


class Provider:
    """A named client for one endpoint and one model."""

    def __init__(self, name: str, client: AsyncOpenAI, model: str, meter: Meter | None = None) -> None:
        self.name, self._client, self._model, self._meter = name, client, model, meter

    async def complete(self, agent: str, prompt: Prompt, messages: list[dict[str, str]]) -> Completion:
        """Ask for JSON that fits the prompt's output schema. Raises LLMError or OverBudget."""
        if self._meter is None:
            return await self._ask(agent, prompt, messages)
        characters = sum(len(message["content"]) for message in messages)
        most = math.ceil(characters / _CHARACTERS_PER_TOKEN), prompt.meta.model.max_tokens
        booking = await self._meter.reserve(sum(most))
        try:
            completion = await self._ask(agent, prompt, messages)
        except LLMError as error:
            # Refused is free; an answer that was lost, or that does not fit, may have cost everything.
            await (booking.release() if error.status else booking.commit(*most))
            raise
        await booking.commit(completion.prompt_tokens, completion.completion_tokens)
        return completion

    async def _ask(self, agent: str, prompt: Prompt, messages: list[dict[str, str]]) -> Completion:
        started = time.perf_counter()
        try:
            answer = await self._client.chat.completions.create(
                model=self._model,
                messages=cast("Any", messages),
                temperature=prompt.meta.model.temperature,
                max_tokens=prompt.meta.model.max_tokens,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": prompt.meta.output, "strict": True},
                },
            )
        except (OpenAIError, ClientAuthenticationError) as error:
            raise self._error(error) from error
        finally:
            LLM_DURATION.labels(agent=agent, provider=self.name).observe(time.perf_counter() - started)
        usage = answer.usage
        return Completion(
            output=self._parse(prompt, answer.choices[0].message.content or ""),
            provider=self.name,
            model=answer.model,
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
        )

    async def check(self) -> None:
        """Reach the endpoint as this identity, without spending tokens. Raises LLMError."""
        try:
            await self._client.models.list()
        except (OpenAIError, ClientAuthenticationError) as error:
            raise self._error(error) from error

    async def close(self) -> None:
        await self._client.close()

    def _parse(self, prompt: Prompt, content: str) -> dict[str, Any]:
        try:
            output = json.loads(content)
        except ValueError as error:
            raise LLMError(self.name, f"the model's answer is not JSON: {error}") from error
        problems = violations(prompt.meta.output, output)
        if problems:
            path, message = problems[0]
            raise LLMError(self.name, f"the model's answer does not fit the output schema: {path}: {message}")
        return cast("dict[str, Any]", output)

    def _error(self, error: OpenAIError | ClientAuthenticationError) -> LLMError:
        if isinstance(error, APIStatusError):
            return LLMError(
                self.name, error.message, error.status_code, error.response.headers.get("retry-after")
            )
        if isinstance(error, APIConnectionError):
            return LLMError(self.name, f"not reachable: {error.__cause__ or error}")
        if isinstance(error, ClientAuthenticationError):
            return LLMError(self.name, f"no token: {error.message}", 401)
        return LLMError(self.name, str(error))


def make_provider(
    settings: LLMSettings, credential: AsyncTokenCredential, meter: Meter | None = None
) -> Provider:
    """The provider that `LLMProvider__ProviderType` names."""
    if settings.provider_type == "Ollama":
        base = str(settings.ollama.endpoint).rstrip("/")
        # Ollama asks for no key; the SDK insists on one.
        client = AsyncOpenAI(base_url=f"{base}/v1", api_key="ollama", timeout=settings.timeout_seconds)
        return Provider("ollama", client, settings.ollama.model, meter)
    azure = settings.azure_openai
    if azure is None:
        raise ValueError("LLMProvider__AzureOpenAI__Endpoint is not set")
    client = AsyncOpenAI(
        base_url=f"{str(azure.endpoint).rstrip('/')}/openai/v1/",
        api_key=get_bearer_token_provider(credential, SCOPE),
        timeout=settings.timeout_seconds,
        max_retries=0,
    )
    return Provider("azure-openai", client, azure.deployment_name, meter)
