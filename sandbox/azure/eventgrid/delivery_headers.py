"""The HTTP headers of a delivery to a webhook.

Sources: https://learn.microsoft.com/azure/event-grid/receive-events#message-headers and
https://learn.microsoft.com/azure/event-grid/delivery-properties
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid import filters, settings
from sandbox.azure.eventgrid.formats import CLOUD_EVENTS


def headers_for(
    subscription: Resource,
    *,
    schema: str,
    batched: bool,
    attempts: int,
    origin: str,
    event: Mapping[str, Any],
) -> dict[str, str]:
    """`attempts` counts those made before; `event` is the (first) one delivered, as it was published."""
    kind = "application/json"
    if schema == CLOUD_EVENTS:
        kind = "application/cloudevents-batch+json" if batched else "application/cloudevents+json"
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "origin": origin,
        "aeg-subscription-name": subscription.id.name.upper(),
        "aeg-delivery-count": str(attempts),
        "aeg-event-type": "Notification",
        "aeg-metadata-version": "1",
        "aeg-data-version": str(event.get("dataVersion", "")),
    }
    return headers | _custom(subscription, event)


def _custom(subscription: Resource, event: Mapping[str, Any]) -> dict[str, str]:
    target = settings.destination(subscription.properties)
    found = {}
    for mapping in (target.properties.get("deliveryAttributeMappings") or ()) if target else ():
        properties = mapping.get("properties") or {}
        value = properties.get("value")
        if mapping["type"] == "Dynamic":
            value = filters.value_at(event, str(properties.get("sourceField", "")).split("."))
        if isinstance(value, str | int | float):
            found[str(mapping["name"])] = str(value)
    return found
