"""From settings to providers, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import get_bearer_token_provider

from app.llm.dialect import OLLAMA, Dialect
from app.llm.providers import Provider, make_client
from app.settings import AzureOpenAISettings, LLMSettings, OllamaSettings, ProviderName, ReasoningSettings

# https://learn.microsoft.com/azure/ai-foundry/openai/how-to/managed-identity
SCOPE = "https://cognitiveservices.azure.com/.default"


@dataclass(frozen=True)
class Place:
    """A provider, and how many calls of it may be under way at once."""

    provider: Provider
    concurrency: int


def line_up(settings: LLMSettings, credential: AsyncTokenCredential) -> list[Place]:
    """The providers that the settings name, those to be skipped among them. Never empty."""
    return list(_places(settings, credential))


def _places(settings: LLMSettings, credential: AsyncTokenCredential) -> Iterator[Place]:
    most = settings.limits.concurrency
    if settings.provider_type == "Ollama":
        yield _ollama(settings.ollama or OllamaSettings(), most)
        return
    primary, backup = settings.azure_openai, settings.backup
    if primary is None:
        raise ValueError("LLMProvider__AzureOpenAI__Endpoint is not set")
    yield _azure("azure-openai", primary, credential, most)
    # An operator who points the primary at the backup has one provider, not two.
    if backup is not None and _target(backup) != _target(primary):
        yield _azure("azure-openai-backup", backup, credential, most)
    if settings.ollama is not None:
        yield _ollama(settings.ollama, most)


def _target(settings: AzureOpenAISettings) -> tuple[str, str]:
    return str(settings.endpoint).rstrip("/"), settings.deployment_name


def _azure(
    name: ProviderName, settings: AzureOpenAISettings, credential: AsyncTokenCredential, most: int
) -> Place:
    base = f"{str(settings.endpoint).rstrip('/')}/openai/v1/"
    client = make_client(base, get_bearer_token_provider(credential, SCOPE))
    provider = Provider(
        name, "azure.ai.openai", client, settings.deployment_name, _dialect(settings.reasoning)
    )
    return Place(provider, settings.concurrency or most)


def _dialect(reasoning: ReasoningSettings | None) -> Dialect:
    if reasoning is None:
        return Dialect("max_completion_tokens")
    return Dialect("max_completion_tokens", reasoning.effort, reasoning.tokens)


def _ollama(settings: OllamaSettings, most: int) -> Place:
    # Ollama asks for no key; the SDK insists on one.
    base = str(settings.endpoint).rstrip("/")
    client = make_client(f"{base}/v1", "ollama")
    provider = Provider("ollama", "ollama", client, settings.model, OLLAMA)
    return Place(provider, settings.concurrency or most)
