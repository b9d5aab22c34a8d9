"""Containers and queues as ARM shows them."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime

from sandbox.arm.resource import Body


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
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
        "deleted": False,
        "remainingRetentionDays": 0,
    }
    body["etag"] = f'"{uuid.uuid4()}"'
    return body


def queue_body(sent: Body) -> Body:
    body = copy.deepcopy(sent)
    body.setdefault("properties", {}).setdefault("metadata", {})
    return body
