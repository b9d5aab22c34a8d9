"""What the application is told of its surroundings, as environment variables under the runbook's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from infra.azure.cosmos import CONTAINER, DATABASE, LEDGER


@dataclass(frozen=True)
class SqlDatabase:
    """`server` is a host name; the port is the dialect's usual one."""

    server: pulumi.Input[str]
    database: str
    dialect: Literal["mssql", "postgresql"]

    def environment(self, user: str) -> dict[str, pulumi.Input[str]]:
        """`user` is the name of the identity that logs in."""
        return {
            "Sql__Server": self.server,
            "Sql__Database": self.database,
            "Sql__Dialect": self.dialect,
            "Sql__User": user,
        }


@dataclass(frozen=True)
class Dependencies:
    """Where the services are that agents call, and how many tokens they may use there in a UTC day.

    `queues` and `daily_tokens` by agent, `insights` as a connection string. The backup's deployment has the
    same name as the primary's, and the same model: `openai_effort` is how long it is to think, and
    `openai_thought` the tokens that it may use for that. What is None, or not named for an agent, is not used
    by it or has no limit.
    """

    cosmos_endpoint: pulumi.Input[str]
    openai_endpoint: pulumi.Input[str]
    openai_deployment: pulumi.Input[str]
    vault_uri: pulumi.Input[str]
    sql: SqlDatabase | None = None
    events_endpoint: pulumi.Input[str] | None = None
    queue_endpoint: pulumi.Input[str] | None = None
    queues: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    openai_backup_endpoint: pulumi.Input[str] | None = None
    openai_effort: str | None = None
    openai_thought: int = 0
    insights: pulumi.Input[str] | None = None
    daily_tokens: Mapping[str, int] = field(default_factory=dict)
    total_tokens: int | None = None

    def environment(self, agent: str, identity: str) -> dict[str, pulumi.Input[str]]:
        """The variables of one agent, whose identity has the given name."""
        found: dict[str, pulumi.Input[str]] = {
            "LLMProvider__ProviderType": "AzureOpenAI",
            "LLMProvider__AzureOpenAI__Endpoint": self.openai_endpoint,
            "LLMProvider__AzureOpenAI__DeploymentName": self.openai_deployment,
            **self._reasoning("AzureOpenAI"),
            **self.kept(),
            "CosmosDb__Ledger": LEDGER,
            "KeyVault__Uri": self.vault_uri,
        }
        if self.openai_backup_endpoint is not None:
            found["LLMProvider__Backup__Endpoint"] = self.openai_backup_endpoint
            found["LLMProvider__Backup__DeploymentName"] = self.openai_deployment
            found |= self._reasoning("Backup")
        if self.sql is not None:
            found |= self.sql.environment(identity)
        found |= self.published()
        if self.queue_endpoint is not None and agent in self.queues:
            found["Storage__QueueEndpoint"] = self.queue_endpoint
            found["Storage__Queue"] = self.queues[agent]
        if self.insights is not None:
            # Says where telemetry is sent to; without a role it opens nothing.
            found["APPLICATIONINSIGHTS_CONNECTION_STRING"] = self.insights
        if agent in self.daily_tokens:
            found["TokenBudget__Daily"] = str(self.daily_tokens[agent])
            if self.total_tokens is not None:
                found["TokenBudget__Total"] = str(self.total_tokens)
        return found

    def _reasoning(self, provider: str) -> dict[str, pulumi.Input[str]]:
        """What the provider's model is told of thinking, if it can."""
        if self.openai_effort is None:
            return {}
        return {
            f"LLMProvider__{provider}__Reasoning__Effort": self.openai_effort,
            f"LLMProvider__{provider}__Reasoning__Tokens": str(self.openai_thought),
        }

    def kept(self) -> dict[str, pulumi.Input[str]]:
        """Where executions and events are kept."""
        return {
            "CosmosDb__Endpoint": self.cosmos_endpoint,
            "CosmosDb__Database": DATABASE,
            "CosmosDb__Container": CONTAINER,
        }

    def published(self) -> dict[str, pulumi.Input[str]]:
        """Where events are published, if they are."""
        return {} if self.events_endpoint is None else {"EventGrid__Endpoint": self.events_endpoint}
