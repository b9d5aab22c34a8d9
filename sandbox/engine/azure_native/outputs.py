"""What the engine keeps of a resource: its outputs, their preview, and inputs read back from the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.engine.azure_native.inputs import bare
from sandbox.engine.values import UNKNOWN, Secret
from sandbox.types import translate
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Definition, Schema, SdkProperty, Type
from sandbox.types.translate import type_at, variant_of

Properties = dict[str, Any]


def of(row: ArmType, body: Mapping[str, Any]) -> Properties:
    """The outputs of a resource that ARM answered."""
    return {**translate.from_wire(row.types[0], body), "azureApiVersion": row.api_version}


def preview(schema: Schema, inputs: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
    """Outputs before anything is done: inputs echoed, the rest unknown but for an old name and place."""
    found = _preview_object(schema, schema.definitions[schema.root], inputs)
    for name in ("name", "location", "type"):
        if old and name in old and (name == "type" or name not in inputs):
            found[name] = old[name]
    found["azureApiVersion"] = UNKNOWN if old is None else old.get("azureApiVersion", UNKNOWN)
    return found


def _preview_object(schema: Schema, definition: Definition, inputs: Mapping[str, Any]) -> Properties:
    definition = variant_of(schema, definition, {name: bare(value) for name, value in inputs.items()})
    found: Properties = {}
    for name, entry in definition.sdk.items():
        if not entry.output:
            continue
        expected = type_at(schema, definition, entry.path)
        value = inputs.get(name)
        found[name] = UNKNOWN if value is None else _preview_value(schema, expected, value)
    return found if definition.sdk else dict(inputs)


def _preview_value(schema: Schema, expected: Type, value: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(value.value)
    if expected.keys:
        return UNKNOWN
    if expected.kind == "object" and expected.definition is not None and isinstance(value, Mapping):
        return _preview_object(schema, schema.definitions[expected.definition], value)
    if expected.kind == "array" and expected.item is not None and isinstance(value, list):
        return [_preview_value(schema, expected.item, item) for item in value]
    if expected.kind == "map" and expected.item is not None and isinstance(value, Mapping):
        return {key: _preview_value(schema, expected.item, item) for key, item in value.items()}
    return value


def as_inputs(schema: Schema, outputs: Mapping[str, Any]) -> Properties:
    """Outputs seen as inputs: what can be set, in the form in which it is set."""
    return _input_object(schema, schema.definitions[schema.root], outputs)


def _input_object(schema: Schema, definition: Definition, outputs: Mapping[str, Any]) -> Properties:
    definition = variant_of(schema, definition, outputs)
    if not definition.sdk:
        return dict(outputs)
    found = {}
    for name, entry in settable(schema, definition).items():
        if name in outputs:
            found[name] = _input_value(schema, type_at(schema, definition, entry.path), outputs[name])
    return found


def settable(schema: Schema, definition: Definition) -> dict[str, SdkProperty]:
    """The SDK's properties of an object that a client may set."""
    return {
        name: entry
        for name, entry in definition.sdk.items()
        if entry.input and not _is_read_only(schema, definition, entry.path)
    }


def _is_read_only(schema: Schema, definition: Definition, path: tuple[str, ...]) -> bool:
    """The SDK shares classes between inputs and answers, so some of its inputs can never be set."""
    for name in path[:-1]:
        inner = type_at(schema, definition, (name,)).definition
        if inner is None:
            return False
        definition = schema.definitions[inner]
    found = definition.properties.get(path[-1])
    return found is not None and found.read_only


def _input_value(schema: Schema, expected: Type, value: Any) -> Any:
    if expected.keys and isinstance(value, Mapping):
        return sorted(value)
    if expected.kind == "object" and expected.definition is not None and isinstance(value, Mapping):
        return _input_object(schema, schema.definitions[expected.definition], value)
    if expected.kind == "array" and expected.item is not None and isinstance(value, list):
        return [_input_value(schema, expected.item, item) for item in value]
    if expected.kind == "map" and expected.item is not None and isinstance(value, Mapping):
        return {key: _input_value(schema, expected.item, item) for key, item in value.items()}
    return value


def drifted(row: ArmType, inputs: Mapping[str, Any], before: Properties, now: Properties) -> Properties:
    """The old inputs with every change made that happened to the resource outside Pulumi.

    `before` and `now` are the outputs as inputs, at the last update and as read. Comparing those two leaves
    alone whatever Azure merely writes differently than the user did (defaults, normalized values). Elements
    that other resources added to an array of this one are no change of it.
    """
    now = dict(now)
    for name in (*row.shared, *(path for path in row.keep_unset if "." not in path)):
        known = _by_key(bare(inputs.get(name)) or []) | _by_key(before.get(name) or [])
        if isinstance(now.get(name), list):
            now[name] = [item for item in now[name] if _key(item) in known]
    found: Properties = _drift(dict(inputs), before, now)
    return found


def _drift(value: Any, before: Any, now: Any) -> Any:
    """`value` with the step from `before` to `now` made; None when nothing is left."""
    inner = bare(value)
    if (before or None) == (now or None):
        return value
    if (
        isinstance(before, Mapping)
        and isinstance(now, Mapping)
        and (inner is None or isinstance(inner, Mapping))
    ):
        changed = dict(inner or {})
        for key in dict.fromkeys([*before, *now]):
            moved = _drift(changed.get(key), before.get(key), now.get(key))
            if moved is None:
                changed.pop(key, None)
            else:
                changed[key] = moved
        return changed if changed or inner is not None else None
    if isinstance(inner, list) and isinstance(before, list) and isinstance(now, list):
        return _drift_list(inner, before, now)
    return now


def _drift_list(value: list[Any], before: list[Any], now: list[Any]) -> list[Any]:
    """Elements are told apart by name or id where they have one, else by place."""
    if not all(_key(item) for item in (*before, *now)):
        if len(before) == len(now) == len(value):
            return [_drift(*three) for three in zip(value, before, now, strict=True)]
        return now
    mine, was, here = _by_key(value), _by_key(before), _by_key(now)
    kept = [
        _drift(item, was.get(key), here[key]) if key in here else item
        for key, item in mine.items()
        if key in here or key not in was
    ]
    return [*kept, *(item for key, item in here.items() if key not in mine and key not in was)]


def _by_key(items: list[Any]) -> dict[str | None, Any]:
    return {_key(bare(item)): item for item in items}


def _key(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return None
    found = bare(item.get("name")) or bare(item.get("id"))
    return found if isinstance(found, str) else None
