"""The application's settings: environment variables, nested by `__`, under the names the runbook uses."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


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


class Settings(BaseSettings):
    """Read once at start; a missing or malformed variable ends the process with its name."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", frozen=True)

    agent: str = Field(alias="AGENT", pattern=r"^[a-z][a-z0-9]{2,30}$")
    llm: LLMSettings = Field(alias="LLMProvider")
    cosmos: CosmosSettings = Field(alias="CosmosDb")
    prompts: Path = Field(alias="PROMPTS", default=Path("/prompts"))
    port: int = Field(alias="PORT", default=8080)


def read() -> Settings:
    """The settings of this process. Raises pydantic's ValidationError, naming every variable at fault."""
    # pydantic-settings fills every field from the environment, which a type checker cannot see.
    return Settings()  # type: ignore[call-arg]
