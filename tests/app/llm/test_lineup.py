"""From environment variables, as the runbook sets them, to providers in order."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.llm.dialect import Dialect
from app.llm.failures import SkipError
from app.llm.lineup import line_up
from app.llm.router import make_router
from app.settings import LLMSettings, Settings

AZURE = {
    "LLMProvider__AzureOpenAI__Endpoint": "https://oai-agents-dev.openai.azure.com/",
    "LLMProvider__AzureOpenAI__DeploymentName": "gpt-5.4-mini",
}
BACKUP = {
    "LLMProvider__Backup__Endpoint": "https://oai-agents-dev-backup.openai.azure.com/",
    "LLMProvider__Backup__DeploymentName": "gpt-5.4-mini",
}
OLLAMA = {"LLMProvider__Ollama__Endpoint": "http://ollama:11434"}


class Credential:
    async def get_token(self, *_: str, **__: Any) -> Any:
        raise AssertionError("nobody is to be called")

    async def close(self) -> None: ...


CREDENTIAL: Any = Credential()


def _settings(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> LLMSettings:
    defaults = {"AGENT": "notification", "CosmosDb__Endpoint": "https://cosmos.example"}
    for name, value in {**defaults, **variables}.items():
        monkeypatch.setenv(name, value)
    return Settings().llm  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        (AZURE, ["azure-openai"]),
        (AZURE | BACKUP, ["azure-openai", "azure-openai-backup"]),
        (AZURE | OLLAMA, ["azure-openai", "ollama"]),
        (AZURE | BACKUP | OLLAMA, ["azure-openai", "azure-openai-backup", "ollama"]),
        ({"LLMProvider__ProviderType": "Ollama"}, ["ollama"]),
        (AZURE | BACKUP | {"LLMProvider__ProviderType": "Ollama"}, ["ollama"]),
        # The runbook's switch to the backup by hand.
        (
            AZURE
            | BACKUP
            | {"LLMProvider__AzureOpenAI__Endpoint": BACKUP["LLMProvider__Backup__Endpoint"].rstrip("/")},
            ["azure-openai"],
        ),
    ],
)
def test_providers_are_asked_in_the_order_of_the_design(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], names: list[str]
) -> None:
    places = line_up(_settings(monkeypatch, variables), CREDENTIAL)
    assert [place.provider.name for place in places] == names


def test_each_has_its_address_its_model_and_its_places(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"LLMProvider__Limits__Concurrency": "9", "LLMProvider__Ollama__Concurrency": "2"}
    primary, backup, ollama = line_up(_settings(monkeypatch, AZURE | BACKUP | OLLAMA | variables), CREDENTIAL)
    assert str(primary.provider._client.base_url) == "https://oai-agents-dev.openai.azure.com/openai/v1/"
    assert backup.provider.host == "oai-agents-dev-backup.openai.azure.com"
    assert str(ollama.provider._client.base_url) == "http://ollama:11434/v1/"
    assert [place.provider.model for place in (primary, ollama)] == ["gpt-5.4-mini", "llama3.1"]
    assert [place.concurrency for place in (primary, backup, ollama)] == [9, 9, 2]
    assert {place.provider._client.max_retries for place in (primary, backup, ollama)} == {0}


def test_each_is_spoken_to_as_its_model_and_its_provider_want(monkeypatch: pytest.MonkeyPatch) -> None:
    thinking = {
        "LLMProvider__AzureOpenAI__Reasoning__Effort": "low",
        "LLMProvider__AzureOpenAI__Reasoning__Tokens": "8192",
    }
    places = line_up(_settings(monkeypatch, AZURE | BACKUP | OLLAMA | thinking), CREDENTIAL)
    assert [place.provider.dialect for place in places] == [
        Dialect("max_completion_tokens", "low", 8192),
        Dialect("max_completion_tokens"),
        Dialect("max_tokens"),
    ]


@pytest.mark.parametrize(
    "value", ["azure-openai, ollama", '["azure-openai","ollama"]', "ollama,azure-openai,"]
)
def test_who_is_passed_over_is_said_with_commas_or_in_json(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    assert _settings(monkeypatch, AZURE | {"LLMProvider__Skip": value}).skip == {"azure-openai", "ollama"}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"LLMProvider__ProviderType": "AzureOpenAI"}, "LLMProvider__AzureOpenAI__Endpoint"),
        (AZURE | {"LLMProvider__AzureOpenAI__Reasoning__Effort": "much"}, "Reasoning.Effort"),
        (AZURE | {"LLMProvider__AzureOpenAI__Reasoning__Tokens": "100"}, "Reasoning.Effort"),
        (AZURE | {"LLMProvider__Skip": "azure"}, "Skip"),
        (AZURE | {"LLMProvider__Skip": "[azure"}, "Skip"),
        (AZURE | {"LLMProvider__Backup__Endpoint": "https://backup.example"}, "Backup.DeploymentName"),
        (AZURE | {"LLMProvider__Breaker__Failures": "0"}, "Breaker.Failures"),
        (AZURE | {"LLMProvider__Limits__Atempts": "3"}, "atempts"),
        (AZURE | {"LLMProvider__Cache__Seconds": "-1"}, "Cache.Seconds"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    with pytest.raises(ValidationError, match=named):
        _settings(monkeypatch, variables)


def test_an_agent_that_may_ask_nobody_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(monkeypatch, AZURE | {"LLMProvider__Skip": "azure-openai"})
    with pytest.raises(SkipError, match="LLMProvider__Skip: azure-openai"):
        make_router(settings, "notification", CREDENTIAL)
