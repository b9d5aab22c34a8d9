"""Events as destinations and dead-letter blobs show them, in the schema of the subscription.

Sources: https://learn.microsoft.com/azure/event-grid/cloud-event-schema and
https://learn.microsoft.com/azure/event-grid/delivery-and-retry#delivery-event-formats
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CLOUD_EVENTS, EVENT_GRID = "CloudEventSchemaV1_0", "EventGridSchema"
#: What each schema calls an event's type.
TYPE_KEYS = {CLOUD_EVENTS: "type", EVENT_GRID: "eventType"}
#: What may be delivered, by what is published.
DELIVERABLE = {CLOUD_EVENTS: (CLOUD_EVENTS,), EVENT_GRID: (EVENT_GRID, CLOUD_EVENTS)}

Event = dict[str, Any]


@dataclass(frozen=True)
class Letter:
    """Why an event was given up, and what had been tried. Times are seconds since the epoch."""

    reason: str
    attempts: int
    outcome: str
    published: float
    last_attempt: float


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def delivered(event: Event, schema: str) -> Event:
    """A published event in the schema to deliver."""
    if schema == CLOUD_EVENTS and "specversion" not in event:
        return _as_cloud_event(event)
    return event


def dead(event: Event, schema: str, letter: Letter) -> Event:
    """A dead letter; CloudEvents attributes are lower-case, as that schema demands."""
    shown = {
        "deadLetterReason": letter.reason,
        "deliveryAttempts": letter.attempts,
        "lastDeliveryOutcome": letter.outcome,
        "publishTime": moment(letter.published),
        "lastDeliveryAttemptTime": moment(letter.last_attempt),
    }
    if schema == CLOUD_EVENTS:
        shown = {name.lower(): value for name, value in shown.items()}
    return {**delivered(event, schema), **shown}


def _as_cloud_event(event: Event) -> Event:
    made = {
        "specversion": "1.0",
        "id": event["id"],
        "source": event["topic"],
        "type": event["eventType"],
        "subject": event["subject"],
        "time": event["eventTime"],
        "dataschema": f"#{event['dataVersion']}",
    }
    return made | ({"data": event["data"]} if "data" in event else {})
