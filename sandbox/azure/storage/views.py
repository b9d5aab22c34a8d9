"""Containers and queues as ARM shows them."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime

from sandbox.arm.resource import Body, Resource


def container_body(sent: Body) -> Body:
    """What was sent, with defaults and what Azure computes."""
    body = copy.deepcopy(sent)
    given = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
    body["properties"] = {
        "publicAccess": "None",
        "defaultEncryptionScope": "$account-encryption-key",
        "denyEncryptionScopeOverride": False,
        **given,
        "leaseStatus": "Unlocked",
        "leaseState": "Available",
        "lastModifiedTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "deleted": False,
        "remainingRetentionDays": 0,
    }
    body["etag"] = f'"{uuid.uuid4()}"'
    return body


def container_view(container: Resource, policy: Resource | None) -> Body:
    """As a GET answers it, with the policy and the legal holds that protect it."""
    body = container.wire()
    properties = dict(body["properties"])
    held = bool((properties.get("legalHold") or {}).get("hasLegalHold"))
    properties.update(hasImmutabilityPolicy=policy is not None, hasLegalHold=held)
    if policy is not None:
        properties["immutabilityPolicy"] = {
            "etag": policy.body.get("etag"),
            "properties": dict(policy.properties),
            "updateHistory": policy.body.get("updateHistory", []),
        }
    return {**body, "properties": properties}


def queue_body(sent: Body) -> Body:
    body = copy.deepcopy(sent)
    body.setdefault("properties", {}).setdefault("metadata", {})
    return body
