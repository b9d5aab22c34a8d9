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

from app.prompts.library import Trial, Version

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagedidentity
IdentityName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ReasoningSettings(_Section):
    """How long a reasoning model thinks, and the tokens it may use for that on top of what prompts allow."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] = Field(alias="Effort")
    tokens: int = Field(alias="Tokens", default=0, ge=0)


class AzureOpenAISettings(_Section):
    """`Reasoning__…`: what the deployed model is told of thinking; without, it is one that does not reason.

    `Concurrency`: how many calls may be under way at once; without, as `Limits__Concurrency` says."""

    endpoint: HttpUrl = Field(alias="Endpoint")
    deployment_name: str = Field(alias="DeploymentName")
    reasoning: ReasoningSettings | None = Field(alias="Reasoning", default=None)
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
    max_cooldown_seconds: float = Field(alias="MaxCooldownSeconds", default=60, gt=0)
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
    ledger: str = Field(alias="Ledger", default="Ledger")


class TokenBudgetSettings(_Section):
    """`TokenBudget__…`: tokens per UTC day of this agent (`Daily`) and of all together (`Total`, if any).

    What a pod reserved and did not settle is given back after `ReservationSeconds`.
    """

    daily: int = Field(alias="Daily", ge=1)
    total: int | None = Field(alias="Total", default=None, ge=1)
    reservation_seconds: float = Field(alias="ReservationSeconds", default=180, gt=0)


class SqlSettings(_Section):
    """`Sql__…`: the database of executions; `User` is the name of the identity that logs in.

    `Users` are those to be let in by a migration: names of identities and their client ids, as a JSON object;
    whoever else is in goes, but for `Kept`, a JSON array of names.
    PostgreSQL wants to be told who logs in; Azure SQL reads it in the token. `Audience` is what a token must
    be made out to, another one in sovereign clouds. Without `Port` it is the dialect's usual one.
    """

    server: str = Field(alias="Server", pattern=r"^[A-Za-z0-9.-]+$")
    database: str = Field(alias="Database", default="AgentsDB", pattern=r"^[A-Za-z0-9_-]+$")
    dialect: Literal["mssql", "postgresql"] = Field(alias="Dialect", default="mssql")
    port: int | None = Field(alias="Port", default=None, ge=1, le=65535)
    user: IdentityName | None = Field(alias="User", default=None)
    users: dict[IdentityName, UUID] = Field(alias="Users", default={})
    kept: tuple[IdentityName, ...] = Field(alias="Kept", default=())
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


class ConsoleSettings(_Section):
    """`Console__…`: the agents that the web console lists. Where they are named, the console is served."""

    agents: tuple[str, ...] = Field(alias="Agents", min_length=1)


class EventSettings(_Section):
    """`EventGrid__…`: the topic that this agent publishes to."""

    endpoint: HttpUrl = Field(alias="Endpoint")


class ConsumerSettings(_Section):
    """`Events__…`: how this agent works through its queue.

    An event that more than `MaxHops` events led to, or that was taken `MaxDequeues` times and never handled,
    is put aside. Handling may take `HandleSeconds`: so long, and a margin, a message is hidden from others.
    """

    max_hops: int = Field(alias="MaxHops", default=8, ge=0)
    max_dequeues: int = Field(alias="MaxDequeues", default=8, ge=1)
    concurrency: int = Field(alias="Concurrency", default=8, ge=1, le=256)
    handle_seconds: float = Field(alias="HandleSeconds", default=90, gt=0, le=3600)
    poll_seconds: float = Field(alias="PollSeconds", default=1, gt=0)


class AuthenticationSettings(_Section):
    """`Authentication__…`: whose tokens are taken. Only `ENVIRONMENT=dev` may do without any.

    `Issuer` is the tenant's own unless it is set, that of tokens of version 2; `Audience` is what these are
    made out to: the application's id, or its identifier URI.
    """

    enabled: bool = Field(alias="Enabled", default=True)
    tenant_id: UUID | None = Field(alias="TenantId", default=None)
    audience: str | None = Field(alias="Audience", default=None, min_length=1)
    issuer: HttpUrl | None = Field(alias="Issuer", default=None)
    leeway_seconds: int = Field(alias="LeewaySeconds", default=60, ge=0, le=300)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not (self.audience and (self.tenant_id or self.issuer)):
            raise ValueError("set Authentication__Audience and Authentication__TenantId")
        return self


class HttpSettings(_Section):
    """`Http__…`: how large a request may be, and how many a caller may send to one pod.

    `Rate` is of the form `100/minute`; without it there is no limit.
    """

    max_body_bytes: int = Field(alias="MaxBodyBytes", default=1024 * 1024, ge=1024)
    rate: str | None = Field(alias="Rate", default=None, pattern=r"^[1-9]\d*/(second|minute|hour)$")


class DeadLetterSettings(_Section):
    """`DeadLetters__…`: what Event Grid could not deliver; only `python -m app.replay` reads it."""

    endpoint: HttpUrl = Field(alias="Endpoint")
    container: str = Field(alias="Container", default="dead-letters")


class ShutdownSettings(_Section):
    """`Shutdown__…`: after SIGTERM requests are served for `LeaveSeconds` more, until proxies know of it."""

    leave_seconds: float = Field(alias="LeaveSeconds", default=0, ge=0, le=60)


# https://learn.microsoft.com/azure/azure-monitor/app/connection-strings#schema
ConnectionString = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Za-z]+=[^=;]+;)*InstrumentationKey=[0-9a-fA-F-]{36}(;[A-Za-z]+=[^=;]+)*$"
    ),
]


class Settings(BaseSettings):
    """Read once at start; a missing or malformed variable ends the process with its name."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        # What a variable holds is nothing for a log.
        hide_input_in_errors=True,
    )

    agent: str = Field(alias="AGENT", pattern=r"^[a-z][a-z0-9]{2,30}$")
    llm: LLMSettings = Field(alias="LLMProvider")
    cosmos: CosmosSettings = Field(alias="CosmosDb")
    sql: SqlSettings | None = Field(alias="Sql", default=None)
    vault: VaultSettings | None = Field(alias="KeyVault", default=None)
    storage: StorageSettings | None = Field(alias="Storage", default=None)
    events: EventSettings | None = Field(alias="EventGrid", default=None)
    budget: TokenBudgetSettings | None = Field(alias="TokenBudget", default=None)
    console: ConsoleSettings | None = Field(alias="Console", default=None)
    #: Where telemetry is sent to; nowhere without it.
    insights: ConnectionString | None = Field(alias="APPLICATIONINSIGHTS_CONNECTION_STRING", default=None)
    shutdown: ShutdownSettings = Field(alias="Shutdown", default=ShutdownSettings())
    prompts: Path = Field(alias="PROMPTS", default=Path("/prompts"))
    drill_results: Path = Field(alias="DrillResults", default=Path("/drills/results.json"))
    pins: dict[str, Version] = Field(alias="Prompts__Pins", default={})
    trials: dict[str, Trial] = Field(alias="Prompts__Trials", default={})
    reload_seconds: float = Field(alias="Prompts__ReloadSeconds", default=5, gt=0)
    consumer: ConsumerSettings = Field(alias="Events", default=ConsumerSettings())
    environment: str = Field(alias="ENVIRONMENT", default="prod")
    # Validated always, so that what is missing is said and not read as a permission.
    authentication: AuthenticationSettings = Field(
        alias="Authentication", default_factory=lambda: AuthenticationSettings.model_validate({})
    )
    http: HttpSettings = Field(alias="Http", default=HttpSettings())
    port: int = Field(alias="PORT", default=8080)

    @model_validator(mode="after")
    def _authenticated(self) -> Self:
        if not self.authentication.enabled and self.environment != "dev":
            raise ValueError(
                f"Authentication__Enabled is false, which only ENVIRONMENT=dev may have; this is "
                f"{self.environment}. Remove it, set Authentication__Audience and Authentication__TenantId"
            )
        return self

    @model_validator(mode="after")
    def _reservations_outlive_calls(self) -> Self:
        if self.budget and self.budget.reservation_seconds <= self.llm.timeout_seconds:
            raise ValueError(
                f"TokenBudget__ReservationSeconds ({self.budget.reservation_seconds:g}) must be more than "
                f"LLMProvider__TimeoutSeconds ({self.llm.timeout_seconds:g}), or tokens of calls that "
                "still run are given to others"
            )
        return self


def read() -> Settings:
    """The settings of this process. Raises pydantic's ValidationError, naming every variable at fault."""
    # pydantic-settings fills every field from the environment, which a type checker cannot see.
    return Settings()  # type: ignore[call-arg]
