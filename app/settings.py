"""The application's settings: environment variables, nested by `__`, under the names the runbook uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagedidentity
IdentityName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class AzureOpenAISettings(_Section):
    """`Concurrency`: how many calls may be under way at once; without, as `Limits__Concurrency` says."""

    endpoint: HttpUrl = Field(alias="Endpoint")
    deployment_name: str = Field(alias="DeploymentName")
    concurrency: int | None = Field(alias="Concurrency", default=None, ge=1)


class OllamaSettings(_Section):
    endpoint: HttpUrl = Field(alias="Endpoint", default=HttpUrl("http://localhost:11434"))
    model: str = Field(alias="Model", default="llama3.1")
    concurrency: int | None = Field(alias="Concurrency", default=None, ge=1)


class BreakerSettings(_Section):
    """`LLMProvider__Breaker__…`: a provider is left alone after `Failures` of its last `Window` calls failed.

    For `CooldownSeconds`, twice as long after each failed probe up to `MaxCooldownSeconds`, or as long as its
    Retry-After says. With no other provider left it is probed every `ProbeSeconds`, unless it said when.
    """

    failures: int = Field(alias="Failures", default=5, ge=1)
    window: int = Field(alias="Window", default=10, ge=1)
    cooldown_seconds: float = Field(alias="CooldownSeconds", default=10, gt=0)
    max_cooldown_seconds: float = Field(alias="MaxCooldownSeconds", default=120, gt=0)
    probe_seconds: float = Field(alias="ProbeSeconds", default=0.5, gt=0)

    @model_validator(mode="after")
    def _can_open(self) -> Self:
        if self.failures > self.window:
            raise ValueError(f"Failures ({self.failures}) cannot exceed Window ({self.window})")
        return self


class LimitSettings(_Section):
    """`LLMProvider__Limits__…`: bounds on what one call, and all of them, ask of the providers.

    A call makes at most `Attempts`, and waits at most `WaitSeconds` in all for a provider to be free.
    Asking a provider again is allowed for a share `RetryShare` of the calls, and `RetryBurst` at once.
    """

    concurrency: int = Field(alias="Concurrency", default=256, ge=1)
    attempts: int = Field(alias="Attempts", default=4, ge=1)
    wait_seconds: float = Field(alias="WaitSeconds", default=1, ge=0)
    retry_share: float = Field(alias="RetryShare", default=0.1, ge=0, le=1)
    retry_burst: float = Field(alias="RetryBurst", default=10, ge=0)


class CacheSettings(_Section):
    """`LLMProvider__Cache__…`: answers are kept for `Seconds`; 0 switches it off."""

    seconds: float = Field(alias="Seconds", default=0, ge=0)
    entries: int = Field(alias="Entries", default=1000, ge=1)


ProviderName = Literal["azure-openai", "azure-openai-backup", "ollama"]


def _listed(value: object) -> object:
    """`kubectl set env` takes a list with commas more easily than a JSON array; both are understood."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [name.strip() for name in value.split(",") if name.strip()]


class LLMSettings(_Section):
    """`LLMProvider__…`: which providers answer, in which order, and where they are.

    `AzureOpenAI`: the primary, then `Backup`, then `Ollama`, as far as they are named. `Ollama`: Ollama and
    nothing else. `Skip` names providers to pass over. `TimeoutSeconds` bounds a request with everything it
    needs of models, `AttemptSeconds` each call.
    """

    provider_type: Literal["AzureOpenAI", "Ollama"] = Field(alias="ProviderType", default="AzureOpenAI")
    azure_openai: AzureOpenAISettings | None = Field(alias="AzureOpenAI", default=None)
    backup: AzureOpenAISettings | None = Field(alias="Backup", default=None)
    ollama: OllamaSettings | None = Field(alias="Ollama", default=None)
    skip: Annotated[frozenset[ProviderName], NoDecode, BeforeValidator(_listed)] = Field(
        alias="Skip", default=frozenset()
    )
    timeout_seconds: float = Field(alias="TimeoutSeconds", default=60, gt=0)
    attempt_seconds: float = Field(alias="AttemptSeconds", default=20, gt=0)
    breaker: BreakerSettings = Field(alias="Breaker", default=BreakerSettings())
    limits: LimitSettings = Field(alias="Limits", default=LimitSettings())
    cache: CacheSettings = Field(alias="Cache", default=CacheSettings())

    @model_validator(mode="after")
    def _endpoint_given(self) -> Self:
        if self.provider_type == "AzureOpenAI" and self.azure_openai is None:
            raise ValueError(
                "set LLMProvider__AzureOpenAI__Endpoint and LLMProvider__AzureOpenAI__DeploymentName"
            )
        return self


class CosmosSettings(_Section):
    endpoint: HttpUrl = Field(alias="Endpoint")
    database: str = Field(alias="Database", default="AgentsDB")
    container: str = Field(alias="Container", default="Events")


class SqlSettings(_Section):
    """`Sql__…`: the database of executions; `User` is the name of the identity that logs in.

    `Users` are those to be let in by a migration: names of identities and their client ids, as a JSON object.
    PostgreSQL wants to be told who logs in; Azure SQL reads it in the token. `Audience` is what a token must
    be made out to, another one in sovereign clouds. Without `Port` it is the dialect's usual one.
    """

    server: str = Field(alias="Server", pattern=r"^[A-Za-z0-9.-]+$")
    database: str = Field(alias="Database", default="AgentsDB", pattern=r"^[A-Za-z0-9_-]+$")
    dialect: Literal["mssql", "postgresql"] = Field(alias="Dialect", default="mssql")
    port: int | None = Field(alias="Port", default=None, ge=1, le=65535)
    user: IdentityName | None = Field(alias="User", default=None)
    users: dict[IdentityName, UUID] = Field(alias="Users", default={})
    audience: str = Field(alias="Audience", default="https://database.windows.net/")

    @model_validator(mode="after")
    def _user_given(self) -> Self:
        if self.dialect == "postgresql" and self.user is None:
            raise ValueError("set Sql__User: PostgreSQL does not take the user from the token")
        return self


class VaultSettings(_Section):
    uri: HttpUrl = Field(alias="Uri")


class StorageSettings(_Section):
    """`Storage__…`: the queue into which Event Grid delivers this agent's events."""

    queue_endpoint: HttpUrl = Field(alias="QueueEndpoint")
    queue: str = Field(alias="Queue")


class EventSettings(_Section):
    """`EventGrid__…`: the topic that this agent publishes to."""

    endpoint: HttpUrl = Field(alias="Endpoint")


class Settings(BaseSettings):
    """Read once at start; a missing or malformed variable ends the process with its name."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", frozen=True)

    agent: str = Field(alias="AGENT", pattern=r"^[a-z][a-z0-9]{2,30}$")
    llm: LLMSettings = Field(alias="LLMProvider")
    cosmos: CosmosSettings = Field(alias="CosmosDb")
    sql: SqlSettings | None = Field(alias="Sql", default=None)
    vault: VaultSettings | None = Field(alias="KeyVault", default=None)
    storage: StorageSettings | None = Field(alias="Storage", default=None)
    events: EventSettings | None = Field(alias="EventGrid", default=None)
    prompts: Path = Field(alias="PROMPTS", default=Path("/prompts"))
    port: int = Field(alias="PORT", default=8080)


def read() -> Settings:
    """The settings of this process. Raises pydantic's ValidationError, naming every variable at fault."""
    # pydantic-settings fills every field from the environment, which a type checker cannot see.
    return Settings()  # type: ignore[call-arg]
