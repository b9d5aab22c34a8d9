"""`blobServices/default` and `queueServices/default`: what an account's services keep and how.

Versioning, soft delete, the change feed and point-in-time restore are checked and stored as Azure has them,
but have no effect: Azurite, which holds the data, has none of them. A deleted or overwritten blob is gone
here, whatever these properties say; the log says so once per account.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body, Resource
from sandbox.azure.storage.contents import account_of

log = logging.getLogger(__name__)

#: (property, least and most days). Source: https://learn.microsoft.com/rest/api/storagerp/blob-services
_DAYS = (
    ("deleteRetentionPolicy", "days", 365),
    ("containerDeleteRetentionPolicy", "days", 365),
    ("changeFeed", "retentionInDays", 146_000),
)
_WITHOUT_EFFECT = ("deleteRetentionPolicy", "containerDeleteRetentionPolicy", "changeFeed", "restorePolicy")
_BLOB_DEFAULTS: Body = {
    "cors": {"corsRules": []},
    "deleteRetentionPolicy": {"allowPermanentDelete": False, "enabled": False},
}
_QUEUE_DEFAULTS: Body = {"cors": {"corsRules": []}}


class BlobServiceHandler(Handler):
    type = "Microsoft.Storage/storageAccounts/blobServices"

    async def check(self, put: Put) -> None:
        properties = put.body.get("properties") or {}
        for name, key, most in _DAYS:
            _check_days(properties.get(name) or {}, name, key, most)
        _check_restore(properties)

    async def fill(self, put: Put) -> Body:
        return _filled(put.body, _BLOB_DEFAULTS)

    async def provision(self, resource: Resource) -> None:
        idle = list(_without_effect(resource.properties))
        if idle:
            log.warning("%s: %s have no effect here", resource.id, ", ".join(idle))

    async def view(self, resource: Resource) -> Body:
        """A service that was never written shows the defaults; its sku is the account's."""
        body = {**resource.wire(), "properties": {**copy.deepcopy(_BLOB_DEFAULTS), **resource.properties}}
        account = account_of(self.services, resource.id)
        return body | ({"sku": account.body["sku"]} if account is not None and "sku" in account.body else {})


class QueueServiceHandler(Handler):
    type = "Microsoft.Storage/storageAccounts/queueServices"

    async def fill(self, put: Put) -> Body:
        return _filled(put.body, _QUEUE_DEFAULTS)

    async def view(self, resource: Resource) -> Body:
        return {**resource.wire(), "properties": {**copy.deepcopy(_QUEUE_DEFAULTS), **resource.properties}}


def _filled(sent: Body, defaults: Body) -> Body:
    body = copy.deepcopy(sent)
    given = {key: value for key, value in (body.get("properties") or {}).items() if value is not None}
    body["properties"] = {**copy.deepcopy(defaults), **given}
    return body


def _check_days(policy: Mapping[str, Any], name: str, key: str, most: int) -> None:
    days = policy.get(key)
    needed = policy.get("enabled") and key == "days"
    if (needed and days is None) or (days is not None and not 1 <= days <= most):
        raise _invalid(f"The {key} of {name} must be between 1 and {most}.", f"properties.{name}.{key}")


def _check_restore(properties: Mapping[str, Any]) -> None:
    restore = properties.get("restorePolicy") or {}
    if not restore.get("enabled"):
        return
    kept = properties.get("deleteRetentionPolicy") or {}
    days = restore.get("days")
    needs = (
        properties.get("isVersioningEnabled"),
        (properties.get("changeFeed") or {}).get("enabled"),
        kept.get("enabled"),
    )
    if not all(needs):
        raise _invalid(
            "Point-in-time restore needs versioning, the change feed and soft delete of blobs.",
            "properties.restorePolicy",
        )
    if days is None or not 1 <= days < kept["days"]:
        raise _invalid(
            "The days of restorePolicy must be at least 1 and fewer than those of deleteRetentionPolicy.",
            "properties.restorePolicy.days",
        )


def _without_effect(properties: Mapping[str, Any]) -> Iterator[str]:
    if properties.get("isVersioningEnabled"):
        yield "isVersioningEnabled"
    for name in _WITHOUT_EFFECT:
        if (properties.get(name) or {}).get("enabled"):
            yield name


def _invalid(message: str, target: str) -> ArmError:
    return bad_request("InvalidRequestPropertyValue", message, target)
