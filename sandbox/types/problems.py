"""Finds everything a wire body has wrong against a schema, in ARM's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.types.schema import Definition, Property, Schema, Type

Reason = Literal["unknown", "missing", "type", "enum", "read-only"]

#: What a client may send along of an answer it got before: ARM takes these from the URL.
_IDENTITY = {"id", "name", "type"}
_INVALID = "The request content was invalid and could not be deserialized"
_NOUNS = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean"}
_NOUNS |= {"array": "an array", "map": "an object", "object": "an object"}


@dataclass(frozen=True)
class Problem:
    """One thing wrong: why, where (`properties.subnets[0].name`), ARM's code and a message for the user."""

    reason: Reason
    path: str
    code: str
    message: str


def problems(schema: Schema, body: Any, previous: Any = None) -> list[Problem]:
    """All problems of a body, in the order of its properties. `previous` is what a GET would show."""
    root = Type("object", definition=schema.root)
    return list(_Walk(schema, updating=previous is not None).value(body, root, "", previous))


@dataclass(frozen=True)
class _Walk:
    schema: Schema
    updating: bool

    def value(self, value: Any, expected: Type, path: str, previous: Any) -> Iterator[Problem]:
        if expected.kind == "any":
            return
        if not matches(value, expected.kind):
            yield _ill_typed(value, expected, path)
        elif expected.kind == "object":
            yield from self._object(value, expected, path, previous)
        elif expected.kind == "map" and expected.item is not None:
            for key, item in value.items():
                if item is not None:
                    yield from self.value(item, expected.item, _join(path, key), _get(previous, key))
        elif expected.kind == "array" and expected.item is not None:
            for number, item in enumerate(value):
                yield from self.value(
                    item, expected.item, f"{path}[{number}]", _counterpart(previous, item, number)
                )
        elif expected.enum and not _in_enum(value, expected.enum):
            yield _not_allowed(value, expected, path)

    def _object(
        self, value: Mapping[str, Any], expected: Type, path: str, previous: Any
    ) -> Iterator[Problem]:
        definition = self.schema.of(expected, value)
        if definition is None:
            return
        known = {name.lower(): name for name in definition.properties}
        given = set()
        for name, item in value.items():
            wire = name if name in definition.properties else known.get(name.lower())
            if wire is None:
                if not definition.additional:
                    yield _unknown(name, definition, _join(path, name))
                continue
            given.add(wire) if item is not None else None
            yield from self._property(
                item, definition.properties[wire], _join(path, name), _get(previous, wire)
            )
        for name, entry in definition.properties.items():
            if entry.required and not entry.read_only and name not in given:
                yield _missing(name, path)

    def _property(self, value: Any, entry: Property, path: str, previous: Any) -> Iterator[Problem]:
        if value is None:
            return
        if entry.read_only:
            told_by_url = path in _IDENTITY and self.updating and previous is None
            if not told_by_url and not _echoes(value, previous):
                yield _read_only(path)
            return
        yield from self.value(value, entry.type, path, previous)


def _echoes(value: Any, previous: Any) -> bool:
    """Whether a client only sends back (some of) what it was told before."""
    if isinstance(value, Mapping):
        return all(item is None or _echoes(item, _get(previous, name)) for name, item in value.items())
    if isinstance(value, list) and isinstance(previous, list):
        return len(value) == len(previous) and all(map(_echoes, value, previous))
    return bool(value == previous)


def matches(value: Any, kind: str) -> bool:
    """Whether a JSON value is of a kind."""
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, Mapping)


def _in_enum(value: Any, allowed: tuple[Any, ...]) -> bool:
    """Azure compares enum values without regard to case."""
    if isinstance(value, str):
        return value.lower() in {item.lower() for item in allowed if isinstance(item, str)}
    return value in allowed


def _get(previous: Any, name: str) -> Any:
    return previous.get(name) if isinstance(previous, Mapping) else None


def _counterpart(previous: Any, item: Any, number: int) -> Any:
    """The element of the stored array that one of the new array speaks of: by id or name, else by place."""
    if not isinstance(previous, list):
        return None
    if isinstance(item, Mapping):
        for key in ("id", "name"):
            for other in previous:
                if key in item and isinstance(other, Mapping) and other.get(key) == item[key]:
                    return other
    return previous[number] if number < len(previous) else None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _show(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _unknown(name: str, definition: Definition, path: str) -> Problem:
    allowed = ", ".join(sorted(key for key, entry in definition.properties.items() if not entry.read_only))
    message = (
        f"{_INVALID}: 'Could not find member '{name}' on object. Path '{path}'.' "
        f"Allowed are: {allowed or 'none'}."
    )
    return Problem("unknown", path, "InvalidRequestContent", message)


def _missing(name: str, path: str) -> Problem:
    place = _join(path, name)
    if place == "location":
        message = "The location property is required for this definition."
        return Problem("missing", place, "LocationRequired", message)
    message = f"{_INVALID}: 'Required property '{name}' not found in JSON. Path '{place}'.'"
    return Problem("missing", place, "InvalidRequestContent", message)


def _ill_typed(value: Any, expected: Type, path: str) -> Problem:
    message = (
        f"{_INVALID}: 'Error converting value {_show(value)} to {_NOUNS[expected.kind]}. Path '{path}'.'"
    )
    return Problem("type", path, "InvalidRequestContent", message)


def _not_allowed(value: Any, expected: Type, path: str) -> Problem:
    allowed = ", ".join(str(item) for item in expected.enum)
    message = f"The value {_show(value)} of '{path}' is not allowed. Allowed values are: {allowed}."
    return Problem("enum", path, "InvalidParameter", message)


def _read_only(path: str) -> Problem:
    message = f"The property '{path}' is read-only and cannot be set. Remove it from the request."
    return Problem("read-only", path, "InvalidParameter", message)
