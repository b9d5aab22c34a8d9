"""An event subscription as the delivery reads it: destination, identity, dead letters, retry policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.arm.resource import Body, Resource

ATTEMPTS, TIME_TO_LIVE = 30, 1440


@dataclass(frozen=True)
class Target:
    """Where something is sent, and the principal as which; `identity` None is the account's key."""

    kind: str
    properties: Mapping[str, Any]
    identity: Mapping[str, Any] | None


def destination(properties: Body) -> Target | None:
    """Where events go; None when the subscription names nothing."""
    return _target(properties, "destination", "deliveryWithResourceIdentity", "destination")


def dead_letters(properties: Body) -> Target | None:
    """Where dead letters go; None when they are dropped."""
    return _target(
        properties, "deadLetterDestination", "deadLetterWithResourceIdentity", "deadLetterDestination"
    )


def _target(properties: Body, plain: str, wrapped: str, inner: str) -> Target | None:
    wrapper = properties.get(wrapped)
    found = wrapper.get(inner) if wrapper else properties.get(plain)
    if not found:
        return None
    identity = (wrapper.get("identity") or {"type": "SystemAssigned"}) if wrapper else None
    return Target(str(found["endpointType"]), found.get("properties") or {}, identity)


def principal(topic: Resource, identity: Mapping[str, Any]) -> str | None:
    """The object id of the topic's identity that is meant; None when the topic does not have it."""
    held = topic.body.get("identity") or {}
    if str(identity.get("type")).lower() == "systemassigned":
        found = held.get("principalId")
    else:
        wanted = str(identity.get("userAssignedIdentity", "")).lower()
        users = {name.lower(): entry for name, entry in (held.get("userAssignedIdentities") or {}).items()}
        found = (users.get(wanted) or {}).get("principalId")
    return str(found) if found else None


def attempts(properties: Body) -> int:
    return int((properties.get("retryPolicy") or {}).get("maxDeliveryAttempts") or ATTEMPTS)


def time_to_live(properties: Body) -> float:
    """Seconds."""
    policy = properties.get("retryPolicy") or {}
    return float(policy.get("eventTimeToLiveInMinutes") or TIME_TO_LIVE) * 60
