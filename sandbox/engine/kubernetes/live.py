"""From a live object back to inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.engine.kubernetes.objects import Kind, Object
from sandbox.engine.values import Properties, Secret, conceal, has_secret, reveal

FIELD_MANAGER: Final = "__fieldManager"
INITIAL_API_VERSION: Final = "__initialApiVersion"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

#: What only the server writes; it may stand in inputs that were copied from a live object.
SERVER_METADATA: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
#: Properties that tell list items apart, in the order they are tried.
_KEYS: Final = (
    "name",
    "mountPath",
    "devicePath",
    "containerPort",
    "port",
    "key",
    "ip",
    "topologyKey",
    "type",
)


def outputs(kind: Kind, value: Object, inputs: Properties, manager: str) -> Properties:
    """What the engine keeps: the live object, as secret as its inputs, and how to go on managing it."""
    found = without_managed_fields(value)
    concealed: Properties = conceal(found, inputs)
    if (kind.group, kind.kind) == ("", "Secret"):
        if has_secret(inputs.get("stringData")) and "data" in found:
            concealed["data"] = Secret(found["data"])
        annotations = concealed.get("metadata", {}).get("annotations", {})
        if LAST_APPLIED in annotations:
            annotations[LAST_APPLIED] = Secret(reveal(annotations[LAST_APPLIED]))
    return {**concealed, FIELD_MANAGER: manager, INITIAL_API_VERSION: kind.api_version}


def without_managed_fields(value: Object) -> Object:
    """Bookkeeping that changes with every touch and that no program reads."""
    metadata = {key: item for key, item in value.get("metadata", {}).items() if key != "managedFields"}
    return {**value, "metadata": metadata}


def clean(value: Object) -> Object:
    """Inputs without what only the server writes."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return value
    kept = {key: item for key, item in metadata.items() if key not in SERVER_METADATA}
    return {**value, "metadata": kept}


def imported(value: Object) -> Object:
    """Inputs for an object nobody declared yet (an import): all that could have been declared."""
    found = clean({key: item for key, item in value.items() if key != "status"})
    annotations = found["metadata"].get("annotations")
    if annotations:
        kept = {
            key: text
            for key, text in annotations.items()
            if key not in (LAST_APPLIED, "deployment.kubernetes.io/revision")
        }
        found["metadata"] = {**found["metadata"], "annotations": kept}
    return found


def refreshed(inputs: Any, before: Any, now: Any) -> Any:
    """The inputs, with what differs now from what it was before (drift) taken from the live object.

    A value the server only spells differently (`1000m` for `1`) was so before too, and stays as declared.
    Secret marks are kept. What somebody added beside the inputs is not drift: it is not ours.
    """
    if isinstance(inputs, Secret):
        return Secret(reveal(refreshed(inputs.value, before, now)))
    if isinstance(inputs, dict) and isinstance(now, Mapping):
        old = before if isinstance(before, Mapping) else {}
        return {
            key: refreshed(item, old.get(key), now.get(key))
            for key, item in inputs.items()
            if now.get(key) is not None or old.get(key) is None
        }
    if isinstance(inputs, list) and isinstance(now, list):
        return _refreshed_list(inputs, before if isinstance(before, list) else [], now)
    return inputs if before == now or now is None else now


def _refreshed_list(inputs: list[Any], before: Sequence[Any], now: Sequence[Any]) -> list[Any]:
    if not all(isinstance(item, dict) for item in inputs):
        return inputs if list(before) == list(now) else list(now)
    key = next((key for key in _KEYS if _distinguishes(key, inputs)), None)
    if key is None:
        if len(before) != len(now):
            return list(now)
        return [refreshed(item, _at(before, index), _at(now, index)) for index, item in enumerate(inputs)]
    live = {item.get(key): item for item in now if isinstance(item, Mapping)}
    old = {item.get(key): item for item in before if isinstance(item, Mapping)}
    return [
        refreshed(item, old.get(reveal(item[key])), live.get(reveal(item[key])))
        for item in inputs
        if reveal(item[key]) in live
    ]


def _distinguishes(key: str, items: Sequence[Mapping[str, Any]]) -> bool:
    values = [reveal(item.get(key)) for item in items]
    return None not in values and len(set(map(str, values))) == len(values)


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else None
