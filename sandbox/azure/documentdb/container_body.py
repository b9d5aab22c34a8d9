"""A container's resource body: what Azure refuses, and the defaults it fills in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.resource import Body

_PATH = re.compile(r"(/[^/*?\"']+|/\"[^\"]+\")+")
_INDEXING: Mapping[str, Any] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}
_MAXIMUM_TTL = 2**31 - 1
_LEVELS = 3


def _check_partition_key(key: Mapping[str, Any]) -> None:
    paths = key.get("paths") or []
    hierarchical = key.get("kind") == "MultiHash"
    if not paths or len(paths) > (_LEVELS if hierarchical else 1):
        allowed = f"1 to {_LEVELS} paths" if hierarchical else "one path (several need the kind MultiHash)"
        raise bad_request(
            "BadRequest",
            f"A partition key has {allowed}, not {len(paths)}.",
            "properties.resource.partitionKey.paths",
        )
    for path in paths:
        if not _PATH.fullmatch(path):
            raise bad_request(
                "BadRequest",
                f"The partition key component definition path '{path}' could not be accepted; it must "
                "start with '/' and hold no wildcard.",
                "properties.resource.partitionKey.paths",
            )


def check(resource: Mapping[str, Any], name: str, before: Mapping[str, Any] | None) -> None:
    """Raise ArmError 400 for a body that cannot be a container, or that changes what never changes."""
    if resource.get("id") != name:
        raise bad_request(
            "BadRequest",
            f"The id in the body, '{resource.get('id')}', is not the name in the path, '{name}'.",
            "properties.resource.id",
        )
    _check_partition_key(resource.get("partitionKey") or {})
    ttl = resource.get("defaultTtl")
    if ttl is not None and ttl != -1 and not 1 <= ttl <= _MAXIMUM_TTL:
        raise bad_request(
            "BadRequest",
            f"The input ttl '{ttl}' is invalid. Ensure to provide a nonzero positive integer less than or "
            f"equal to '{_MAXIMUM_TTL}', or '-1' which means never expire.",
            "properties.resource.defaultTtl",
        )
    if before is None:
        return
    if _partition_key(resource) != _partition_key(before):
        raise bad_request(
            "BadRequest",
            "Document collection partition key cannot be changed.",
            "properties.resource.partitionKey",
        )
    if (resource.get("uniqueKeyPolicy") or {"uniqueKeys": []}) != before.get("uniqueKeyPolicy"):
        raise bad_request(
            "BadRequest",
            "The unique index cannot be modified. To change the unique index, remove the collection and "
            "re-create it.",
            "properties.resource.uniqueKeyPolicy",
        )


def _partition_key(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "Hash", "version": 2, **(resource.get("partitionKey") or {})}


def fill(resource: Mapping[str, Any], computed: Mapping[str, Any]) -> Body:
    """The resource as Azure answers it."""
    indexing = {**_INDEXING, **(resource.get("indexingPolicy") or {})}
    return {
        **resource,
        "indexingPolicy": {**indexing, "indexingMode": str(indexing["indexingMode"]).lower()},
        "partitionKey": _partition_key(resource),
        "uniqueKeyPolicy": resource.get("uniqueKeyPolicy") or {"uniqueKeys": []},
        "conflictResolutionPolicy": {
            "mode": "LastWriterWins",
            "conflictResolutionPath": "/_ts",
            "conflictResolutionProcedure": "",
            **(resource.get("conflictResolutionPolicy") or {}),
        },
        "geospatialConfig": {"type": "Geography"},
        **computed,
    }
