"""An event: CloudEvents 1.0 with the attributes that follow one incident from agent to agent.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

# What fits a document's property, a header and a column.
Name = Annotated[str, StringConstraints(min_length=1, max_length=512)]
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class MalformedError(ValueError):
    """A text that is no CloudEvent; the message says what is wrong with it."""


class Event(BaseModel):
    """Source `/agents/<agent>`, type `agents.<agent>.<what>`; `subject` is what it is about.

    `hops` counts the events that led to this one, `traceparent` is the trace it belongs to (W3C).
    Attributes of others are let through and forgotten: an event need not come from an agent.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: Name
    source: Name
    type: Name
    subject: str | None = None
    time: AwareDatetime | None = None
    datacontenttype: str = "application/json"
    data: Any = None
    correlationid: str | None = None
    hops: int = Field(default=0, ge=0)
    traceparent: str | None = None

    @property
    def key(self) -> str:
        """What the event is known by: `source` and `id` together are unique, here in hexadecimal."""
        return hashlib.sha256(f"{self.source}\n{self.id}".encode()).hexdigest()

    @property
    def correlation_id(self) -> str:
        """The event's own where it is well formed, else one that is the same at every delivery."""
        given = self.correlationid or ""
        return given if _WELL_FORMED.fullmatch(given) else str(uuid.uuid5(uuid.NAMESPACE_URL, self.key))

    def sent(self) -> dict[str, Any]:
        """As JSON says it; attributes without a value are left out."""
        return {**self.model_dump(mode="json", exclude={"data"}, exclude_none=True), "data": self.data}


def parse(text: str | bytes) -> Event:
    """The event in a text. Raises MalformedError."""
    try:
        return Event.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "event"
        raise MalformedError(f"{where}: {first['msg']}") from error
