"""The SLA clock of a ticket: arithmetic on its priority, which a model may get wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Promise(BaseModel):
    """Minutes from the report to an answer, and to a solution."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    respond: int = Field(ge=1)
    resolve: int = Field(ge=1)


class Sla(BaseModel):
    """Adds `sla` to an output with `priority`, from `reportedAt` of the input; `promises` by priority."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Literal["sla"]
    promises: dict[str, Promise]

    def apply(self, value: dict[str, Any], output: dict[str, Any]) -> dict[str, Any]:
        started = datetime.fromisoformat(value["reportedAt"])
        promise = self.promises[output["priority"]]
        return {
            **output,
            "sla": {
                "startsAt": _text(started),
                "respondBy": _text(started + timedelta(minutes=promise.respond)),
                "resolveBy": _text(started + timedelta(minutes=promise.resolve)),
                "respondWithinMinutes": promise.respond,
                "resolveWithinMinutes": promise.resolve,
            },
        }


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
