"""Executions in Cosmos DB: one document each, partitioned by agent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError
from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.dependency import DependencyError
from app.settings import CosmosSettings

_PROBE = "health-probe"


class StoreError(DependencyError):
    """Cosmos DB refused or was not reached."""


class Usage(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    prompt_tokens: int
    completion_tokens: int


class Execution(BaseModel):
    """One run of an agent, as stored and as answered. `agent` is the partition key."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    agent: str
    prompt: str
    prompt_version: str
    input: dict[str, Any]
    output: dict[str, Any]
    provider: str
    model: str
    usage: Usage
    correlation_id: str
    started_at: AwareDatetime
    finished_at: datetime


class ExecutionStore:
    """Writes and reads executions; connects on first use, so a pod starts while Cosmos DB is away."""

    def __init__(self, settings: CosmosSettings, credential: AsyncTokenCredential) -> None:
        self._settings = settings
        self._client = CosmosClient(str(settings.endpoint), credential=credential)
        self._container = self._client.get_database_client(settings.database).get_container_client(
            settings.container
        )

    async def save(self, execution: Execution) -> None:
        """Durable when it returns; saving the same execution again changes nothing. Raises StoreError."""
        document = {**execution.model_dump(mode="json", by_alias=True), "type": "execution"}
        try:
            await self._container.upsert_item(document)
        except AzureError as error:
            raise _error(error) from error

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        """The execution, or None. Raises StoreError."""
        try:
            document = await self._container.read_item(execution_id, partition_key=agent)
        except CosmosResourceNotFoundError:
            return None
        except AzureError as error:
            raise _error(error) from error
        return Execution.model_validate(document)

    async def list(self, agent: str, limit: int, after: str | None) -> tuple[list[Execution], str | None]:
        """At most `limit` executions, newest first, and what continues behind them. Raises StoreError."""
        pages = self._container.query_items(
            "SELECT * FROM c WHERE c.type = 'execution' ORDER BY c.startedAt DESC",
            partition_key=agent,
            max_item_count=limit,
        ).by_page(after)
        try:
            async for page in pages:
                found = [Execution.model_validate(document) async for document in page]
                return found, pages.continuation_token  # type: ignore[attr-defined]
        except AzureError as error:
            raise _error(error) from error
        return [], None

    async def check(self, agent: str) -> None:
        """Read as this identity (the document need not exist). Raises StoreError."""
        await self.find(agent, _PROBE)

    async def close(self) -> None:
        await self._client.close()


def _error(error: AzureError) -> StoreError:
    status = error.status_code if isinstance(error, CosmosHttpResponseError) else None
    return StoreError(str(error.message).strip(), status)
