"""Events in Event Grid's own schema, as they are published.

Source: https://learn.microsoft.com/azure/event-grid/event-schema
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.azure.eventgrid import jsonevents
from sandbox.azure.eventgrid.errors import invalid

_SCHEMA = "EventGridEvent"
_REQUIRED = ("id", "subject", "eventType", "eventTime", "dataVersion")
_KNOWN = {*_REQUIRED, "data", "topic", "metadataVersion"}

Event = dict[str, Any]


def parse(raw: bytes, topic: str) -> list[Event]:
    """The events of one request, with what the service adds: the topic's id and the metadata version.
    The content type is not looked at. Raises EventGridError."""
    return [_check(event, topic) for event in jsonevents.read(raw, _SCHEMA, list)]


def _check(event: Any, topic: str) -> Event:
    if not isinstance(event, dict):
        raise jsonevents.not_conforming(_SCHEMA, "An event is a JSON object.")
    for name in event:
        if name not in _KNOWN:
            raise invalid(
                f"This resource is configured for '{_SCHEMA}' schema. Received unexpected property '{name}' "
                "in JSON which does not conform to the expected schema."
            )
    for name in _REQUIRED:
        jsonevents.require_text(event, name, _SCHEMA)
    try:
        datetime.fromisoformat(event["eventTime"])
    except ValueError as error:
        raise invalid(f"The eventTime '{event['eventTime']}' is not a timestamp of ISO 8601.") from error
    if event.get("topic") not in (None, "") and str(event["topic"]).lower() != topic.lower():
        raise invalid(f"The topic '{event['topic']}' is not the one that the event is sent to.")
    if event.get("metadataVersion") not in (None, "", "1"):
        raise invalid("The metadataVersion, if set, must be '1'.")
    return {**event, "topic": topic, "metadataVersion": "1"}
