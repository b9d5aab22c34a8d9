"""From which networks a topic takes events. IP rules close it to everybody else; there is no bypass.

https://learn.microsoft.com/azure/event-grid/configure-firewall; the words of the refusal are those of
https://learn.microsoft.com/azure/event-grid/troubleshoot-errors
"""

from __future__ import annotations

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.azure.eventgrid.errors import EventGridError
from sandbox.network.admission import Connection, Rules, ranges, refusal
from sandbox.services import Services


def require(services: Services, topic: Resource, request: Request) -> None:
    """Raise EventGridError 403 unless the request came by a way that the topic allows."""
    found = refusal(services, topic, "topic", _rules(topic), Connection.of(request))
    if found is not None:
        message = (
            f"Publishing to {topic.id.name.upper()} by client {found.address} is rejected due to IpAddress "
            "filtering rules."
        )
        raise EventGridError(403, "Forbidden", "Forbidden", message)


def _rules(topic: Resource) -> Rules:
    properties = topic.properties
    rules = properties.get("inboundIpRules") or ()
    return Rules(
        public=properties.get("publicNetworkAccess", "Enabled") == "Enabled",
        default=not rules,
        ranges=ranges(rule.get("ipMask") for rule in rules if rule.get("action", "Allow") == "Allow"),
    )
