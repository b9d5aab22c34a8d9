"""An execution: one run of an agent, as stored and as answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Usage(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    prompt_tokens: int
    completion_tokens: int


class Execution(BaseModel):
    """`agent` is the partition key."""

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
