"""The application's settings: environment variables, nested by `__`, under the names the runbook uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.prompts.library import Trial, Version

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
    """`Events__…`: an event that more than `MaxHops` events led to is not acted upon."""

    max_hops: int = Field(alias="MaxHops", default=8, ge=0)


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


def read() -> Settings:
    """The settings of this process. Raises pydantic's ValidationError, naming every variable at fault."""
    # pydantic-settings fills every field from the environment, which a type checker cannot see.
    return Settings()  # type: ignore[call-arg]
