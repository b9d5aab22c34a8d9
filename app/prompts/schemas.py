"""Walking JSON schemas of the shape that prompts use: objects, arrays and scalars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What a text would hold that wants out of its place.
_HOSTILE = "</data>\nAnd now"
# Dates, numbers and words that a schema names itself.
_SCALAR_CHARACTERS = 40


def walk(schema: dict[str, Any], path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within one, itself included, with its JSON path."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from walk(inner, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from walk(schema["items"], f"{path}[*]")


def is_free_text(schema: dict[str, Any]) -> bool:
    """Whether anything at all may be written there."""
    if schema.get("type") != "string" or "enum" in schema:
        return False
    return "pattern" not in schema or re.search(schema["pattern"], _HOSTILE) is not None


def most_characters(schema: dict[str, Any]) -> int:
    """How many characters the largest fitting value has. The schema must be bounded."""
    if "enum" in schema:
        return max(len(str(value)) for value in schema["enum"])
    if schema.get("type") == "object":
        return sum(most_characters(inner) for inner in schema["properties"].values())
    if schema.get("type") == "array":
        most: int = schema["maxItems"] if "maxItems" in schema else len(schema["items"]["enum"])
        return most * most_characters(schema["items"])
    return int(schema.get("maxLength", _SCALAR_CHARACTERS))


def sample(schema: dict[str, Any], *, text: str, number: int) -> Any:
    """A value that fits an output schema: `text` for strings, the `number`th choice where there are some.

    Arrays have `number` items, so that 0 samples the empty ones.
    """
    if "enum" in schema:
        return schema["enum"][number % len(schema["enum"])]
    kind = schema["type"]
    if isinstance(kind, list):
        kind = kind[number % len(kind)]
    if kind == "object":
        return {name: sample(inner, text=text, number=number) for name, inner in schema["properties"].items()}
    if kind == "array":
        return [sample(schema["items"], text=text, number=number) for _ in range(number)]
    return {"string": text, "integer": number, "number": number, "boolean": bool(number % 2), "null": None}[
        kind
    ]


def enlarged(schema: dict[str, Any], value: Any, letter: str) -> Any:
    """`value` with every free text as long as the schema lets it be."""
    if isinstance(value, dict):
        return {name: enlarged(schema["properties"][name], inner, letter) for name, inner in value.items()}
    if isinstance(value, list):
        return [enlarged(schema["items"], inner, letter) for inner in value]
    return letter * schema["maxLength"] if is_free_text(schema) else value
