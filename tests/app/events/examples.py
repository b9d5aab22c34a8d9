"""Executions and events to work with."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from app.events.event import Event
from app.store.executions import Execution, Usage
from tests.app.virtual import START


def execution(agent: str = "servicedesk", *, at: datetime = START, **values: Any) -> Execution:
    return Execution.model_validate(
        {
            "id": str(uuid.uuid4()),
            "agent": agent,
            "prompt": "triage",
            "prompt_version": "1.0.0",
            "input": {"incident": "disk full"},
            "output": {"priority": "P1"},
            "provider": "azure-openai",
            "model": "gpt",
            "usage": Usage(prompt_tokens=10, completion_tokens=5),
            "correlation_id": "c-1",
            "started_at": at,
            "finished_at": at,
            **values,
        }
    )


def event(**values: Any) -> Event:
    return Event.model_validate(
        {
            "id": str(uuid.uuid4()),
            "source": "/agents/servicedesk",
            "type": "agents.servicedesk.triaged",
            "time": START,
            "data": {"input": {"incident": "disk full"}},
            "correlationid": "c-1",
            **values,
        }
    )
