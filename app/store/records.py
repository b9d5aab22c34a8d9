"""Rows of `AgentExecutions`: what was run, how it ended and what it cost."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from azure.core.exceptions import AzureError
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from app.dependency import DependencyError, RefusedError, from_azure
from app.store.database import reason
from app.store.executions import Execution
from app.store.tables import AGENT_EXECUTIONS


def _column(name: str) -> BeforeValidator:
    """Cut to what the column holds: a row says what happened, and must not fail for a long name."""
    length: int = AGENT_EXECUTIONS.c[name].type.length  # type: ignore[attr-defined]
    return BeforeValidator(lambda value: value[:length] if isinstance(value, str) else value)


class Record(BaseModel):
    """One row. A failed run has an `error`, and a provider and tokens only if one answered."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    agent: str
    prompt: Annotated[str, _column("Prompt")]
    prompt_version: Annotated[str, _column("PromptVersion")]
    status: Literal["succeeded", "failed"]
    correlation_id: Annotated[str, _column("CorrelationId")]
    provider: Annotated[str | None, _column("Provider")] = None
    model: Annotated[str | None, _column("Model")] = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    input_hash: str
    error: Annotated[str | None, _column("Error")] = None
    started_at: AwareDatetime
    finished_at: datetime

    @classmethod
    def succeeded(cls, execution: Execution) -> Self:
        return cls(
            id=UUID(execution.id),
            agent=execution.agent,
            prompt=execution.prompt,
            prompt_version=execution.prompt_version,
            status="succeeded",
            correlation_id=execution.correlation_id,
            provider=execution.provider,
            model=execution.model,
            prompt_tokens=execution.usage.prompt_tokens,
            completion_tokens=execution.usage.completion_tokens,
            input_hash=input_hash(execution.input),
            started_at=execution.started_at,
            finished_at=execution.finished_at,
        )

    def row(self) -> dict[str, Any]:
        """By column."""
        return {_camel(name): value for name, value in self.model_dump().items()}


class Records:
    """The table, through the engine's pool; the drivers block, so each write has a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def write(self, records: Sequence[Record]) -> None:
        """Insert what is not there yet, all or nothing; again changes nothing.

        Raises RefusedError when the database will never take them, else DependencyError.
        """
        await asyncio.to_thread(self._write, records)

    def _write(self, records: Sequence[Record]) -> None:
        # An entry may be delivered twice, and a statement must not name a row twice.
        wanted = {record.id: record.row() for record in records}
        key = AGENT_EXECUTIONS.c.Id
        try:
            with self._engine.begin() as connection:
                there = set(connection.scalars(select(key).where(key.in_(wanted))))
                missing = [row for name, row in wanted.items() if name not in there]
                if missing:
                    connection.execute(insert(AGENT_EXECUTIONS), missing)
        except AzureError as error:
            raise from_azure(error) from error
        except IntegrityError as error:
            raise self._clash(list(wanted), error) from error
        except DataError as error:
            raise RefusedError(reason(error)) from error
        except SQLAlchemyError as error:
            raise DependencyError(reason(error)) from error

    def _clash(self, names: list[UUID], error: IntegrityError) -> DependencyError:
        """Who inserts the same rows at the same time is no reason to give them up; a broken rule is."""
        key = AGENT_EXECUTIONS.c.Id
        try:
            with self._engine.connect() as connection:
                found = connection.scalars(select(key).where(key.in_(names)).limit(1)).first()
        except SQLAlchemyError as failure:
            return DependencyError(reason(failure))
        return RefusedError(reason(error)) if found is None else DependencyError(reason(error))


def input_hash(value: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal: the same for the same input."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
