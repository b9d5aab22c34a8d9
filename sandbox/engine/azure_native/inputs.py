"""Walks a resource's SDK inputs along its schema: what is unknown, missing or of the wrong type."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.engine.values import UNKNOWN, Secret
from sandbox.types.armtype import ArmType
from sandbox.types.problems import matches
from sandbox.types.schema import Definition, Schema, Type
from sandbox.types.translate import type_at, variant_of

#: (property path, reason)
Failure = tuple[str, str]
_NOUNS = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean"}
_NOUNS |= {"array": "an array", "map": "an object", "object": "an object"}


def failures(row: ArmType, schema: Schema, inputs: Mapping[str, Any]) -> list[Failure]:
    """Every reason for which the inputs cannot be sent, each naming its property."""
    root = schema.definitions[schema.root]
    found = [
        (name, f"missing required property '{name}'")
        for name in row.parameters
        if name != "subscriptionId" and inputs.get(name) is None
    ]
    body = {name: value for name, value in inputs.items() if name not in row.parameters}
    known = {*row.parameters} - {"subscriptionId"}
    return [*found, *_object(schema, root, body, "", known)]


def _object(
    schema: Schema, definition: Definition, value: Mapping[str, Any], path: str, also: set[str]
) -> Iterator[Failure]:
    definition = variant_of(schema, definition, {key: bare(item) for key, item in value.items()})
    allowed = {name for name, entry in definition.sdk.items() if entry.input}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if name not in allowed:
            if definition.sdk and not definition.additional:
                yield where, _unknown(name, where, allowed | also)
            continue
        yield from _value(schema, type_at(schema, definition, definition.sdk[name].path), item, where)
    for name, entry in definition.sdk.items():
        if entry.input and entry.required and bare(value.get(name)) is None:
            where = f"{path}.{name}" if path else name
            yield where, f"missing required property '{where}'"


def _value(schema: Schema, expected: Type, value: Any, path: str) -> Iterator[Failure]:
    value = bare(value)
    if value is UNKNOWN or value is None or expected.kind == "any":
        return
    if expected.keys and isinstance(value, list):
        return
    if not matches(value, expected.kind):
        yield path, f"'{path}' must be {_NOUNS[expected.kind]}, not {value!r:.60}"
    elif expected.kind == "object" and expected.definition is not None:
        yield from _object(schema, schema.definitions[expected.definition], value, path, set())
    elif expected.kind == "array" and expected.item is not None:
        for number, item in enumerate(value):
            yield from _value(schema, expected.item, item, f"{path}[{number}]")
    elif expected.kind == "map" and expected.item is not None:
        for key, item in value.items():
            yield from _value(schema, expected.item, item, f"{path}.{key}")


def bare(value: Any) -> Any:
    """The value behind a secret's mark."""
    return value.value if isinstance(value, Secret) else value


def _unknown(name: str, where: str, allowed: set[str]) -> str:
    close = difflib.get_close_matches(name, allowed, n=1)
    return f"'{where}' is not a known property" + (f"; did you mean '{close[0]}'?" if close else "")
