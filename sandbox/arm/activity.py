"""The activity log: every write on the control plane, who made it and how it ended. Kept for 90 days."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus

from sandbox.arm.database import Database
from sandbox.arm.handler import Principal
from sandbox.arm.resource import Body, ResourceId
from sandbox.arm.store import timestamp

_KEPT_SECONDS = 90 * 86_400
STARTED, ACCEPTED, SUCCEEDED, FAILED = "Started", "Accepted", "Succeeded", "Failed"


@dataclass(frozen=True)
class Event:
    """One step of one write: `action` on `resource` by `principal`, now in `status`."""

    action: str
    resource: ResourceId
    principal: Principal
    status: str
    http_status: int
    correlation_id: str
    message: str = ""


def _text(value: str, localized: str | None = None) -> Body:
    return {"value": value, "localizedValue": localized or value}


class ActivityLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: Event) -> None:
        now = time.time()
        self._database.execute("DELETE FROM activity WHERE at < ?", (now - _KEPT_SECONDS,))
        self._database.execute(
            "INSERT INTO activity (at, key, event) VALUES (?, ?, ?)",
            (now, event.resource.key, json.dumps(_wire(event, now))),
        )

    def events(self, *, since: float, until: float, under: str) -> list[Body]:
        """Newest first, of resources at or below the id `under`; times in seconds since the epoch."""
        prefix = under.lower().rstrip("/")
        rows = self._database.query(
            "SELECT event FROM activity WHERE at >= ? AND at <= ? AND (key = ? OR (key >= ? AND key < ?)) "
            "ORDER BY at DESC, number DESC",
            (since, until, prefix, prefix + "/", prefix + "0"),
        )
        return [json.loads(row["event"]) for row in rows]


def _wire(event: Event, at: float) -> Body:
    resource, principal = event.resource, event.principal
    event_id = str(uuid.uuid4())
    stamp = timestamp(at)
    phrase = HTTPStatus(event.http_status).phrase
    begins = event.status in (STARTED, ACCEPTED)
    return {
        "authorization": {"action": event.action, "scope": resource.text},
        "caller": principal.client_id or principal.object_id,
        "claims": {str(name): str(value) for name, value in principal.claims.items()},
        "category": _text("Administrative"),
        "channels": "Operation",
        "correlationId": event.correlation_id,
        "description": "",
        "eventDataId": event_id,
        "eventName": _text(
            "BeginRequest" if begins else "EndRequest", "Begin request" if begins else "End request"
        ),
        "eventTimestamp": stamp,
        "id": f"{resource.text}/events/{event_id}/ticks/{int(at * 10_000_000) + 621_355_968_000_000_000}",
        "level": "Error" if event.status == FAILED else "Informational",
        "operationId": event.correlation_id,
        "operationName": _text(event.action),
        "properties": {
            "statusCode": phrase.replace(" ", ""),
            "serviceRequestId": None,
            "eventCategory": "Administrative",
            "entity": resource.text,
            "message": event.message or event.action,
        },
        "resourceGroupName": resource.group or "",
        "resourceId": resource.text,
        "resourceProviderName": _text(resource.type.partition("/")[0]),
        "resourceType": _text(resource.type),
        "status": _text(event.status),
        "subStatus": _text(phrase.replace(" ", ""), f"{phrase} (HTTP Status Code: {event.http_status})"),
        "submissionTimestamp": stamp,
        "subscriptionId": resource.subscription or "",
        "tenantId": principal.tenant_id,
    }
