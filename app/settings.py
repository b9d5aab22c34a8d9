"""The application's settings: environment variables, nested by `__`, under the names the runbook uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagedidentity
IdentityName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class AzureOpenAISettings(_Section):
    endpoint: HttpUrl = Field(alias="Endpoint")
    deployment_name: str = Field(alias="DeploymentName")


class OllamaSettings(_Section):
    endpoint: HttpUrl = Field(alias="Endpoint", default=HttpUrl("http://localhost:11434"))
    model: str = Field(alias="Model", default="llama3.1")


class LLMSettings(_Section):
    """`LLMProvider__…`: which provider answers, and where it is."""

    provider_type: Literal["AzureOpenAI", "Ollama"] = Field(alias="ProviderType", default="AzureOpenAI")
    azure_openai: AzureOpenAISettings | None = Field(alias="AzureOpenAI", default=None)
    ollama: OllamaSettings = Field(alias="Ollama", default=OllamaSettings())
    timeout_seconds: float = Field(alias="TimeoutSeconds", default=60, gt=0)

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


class DeadLetterSettings(_Section):
    """`DeadLetters__…`: what Event Grid could not deliver; only `python -m app.replay` reads it."""

    endpoint: HttpUrl = Field(alias="Endpoint")
    container: str = Field(alias="Container", default="dead-letters")


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
    consumer: ConsumerSettings = Field(alias="Events", default=ConsumerSettings())
    budget: TokenBudgetSettings | None = Field(alias="TokenBudget", default=None)
    prompts: Path = Field(alias="PROMPTS", default=Path("/prompts"))
    port: int = Field(alias="PORT", default=8080)

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
