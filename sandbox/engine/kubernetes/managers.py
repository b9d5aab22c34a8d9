"""Field managers: who owns which field, as server-side apply keeps it in `metadata.managedFields`.

Objects are created by POST, which makes the creator's fields owned by an `Update` of the manager; a later
apply by the same manager would not remove fields it no longer sends. Before the first apply the ownership is
therefore turned into an `Apply`, as the official provider does (await.go, fixCSAFieldManagers).
"""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.engine.kubernetes.objects import Object, annotation

PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
#: Managers whose fields become ours: kubectl's, and those of client-side apply.
_TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("kubectl-client-side-apply", "Update"),
    ("before-first-apply", "Update"),
    ("pulumi-kubernetes", "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)


def manager_for(urn: str, inputs: Object, kept: str | None) -> str:
    """The field manager of a resource: from its annotation, its state, else derived from its URN.

    Derived rather than random: an object made by a run that died before it could note so is known again.
    """
    derived = f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
    return annotation(inputs, PATCH_FIELD_MANAGER) or kept or derived


def manages(value: Object, manager: str) -> bool:
    """Whether the object was made or changed by the manager."""
    return any(entry.get("manager") == manager for entry in _entries(value))


def ownership(value: Object, manager: str) -> list[dict[str, Any]] | None:
    """A JSON patch that makes our fields, and those we take over, one Apply entry; None if they are."""
    ours: dict[str, Any] | None = None
    others = []
    changed = False
    for entry in _entries(value):
        who = (entry.get("manager"), entry.get("operation"))
        if who == (manager, "Apply") and not entry.get("subresource"):
            ours = _joined(ours, entry)
        elif who == (manager, "Update") or who in _TAKEN_OVER:
            if entry.get("subresource") == "status":
                others.append(entry)
                continue
            ours = _joined(ours, entry)
            changed = True
        else:
            others.append(entry)
    if not changed or ours is None:
        return None
    entry = {key: item for key, item in ours.items() if key != "subresource"}
    entry |= {"manager": manager, "operation": "Apply"}
    version = value["metadata"]["resourceVersion"]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/metadata/managedFields", "value": [entry, *others]},
    ]


def _entries(value: Object) -> list[dict[str, Any]]:
    return list(value.get("metadata", {}).get("managedFields") or ())


def _joined(first: dict[str, Any] | None, second: dict[str, Any]) -> dict[str, Any]:
    if first is None:
        return second
    return {**first, "fieldsV1": _union(first.get("fieldsV1", {}), second.get("fieldsV1", {}))}


def _union(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {key: _union(first.get(key, {}), second.get(key, {})) for key in dict.fromkeys([*first, *second])}
