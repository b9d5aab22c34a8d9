"""Values for schemas: valid for whatever can be satisfied, and always the same."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sandbox.azure.cognitiveservices import material
from sandbox.azure.cognitiveservices.sampling import UnsatisfiableError, sample

ABOUT = material.read(
    [{"role": "user", "content": "Disk 7 is full on db-2. Priority is urgent! Call the owner."}]
)
DATA = material.read(
    [{"role": "user", "content": 'Event: {"channel": "teams", "detail": {"count": 3, "note": "Hot"}}'}]
)

SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "null"},
    {"type": ["null", "integer"]},
    {"const": {"a": 1}},
    {"enum": [1, "urgent", None]},
    {"type": "string", "minLength": 300},
    {"type": "string", "maxLength": 3},
    {"type": "string", "pattern": r"^[A-Z]{3}-\d{2,4}$", "maxLength": 7},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "uuid"},
    {"type": "integer", "minimum": 5, "exclusiveMaximum": 7},
    {"type": "integer", "exclusiveMinimum": 7},
    {"type": "integer", "maximum": -4},
    {"type": "number", "multipleOf": 0.25, "minimum": 0.1, "maximum": 0.9},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "array", "items": {"type": "string"}, "minItems": 5},
    {"type": "array", "items": {"enum": ["a"]}, "minItems": 2},
    {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 3},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"type": "array", "items": {"type": "integer"}, "maxItems": 0},
    {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}], "$defs": {"x": {"type": "boolean"}}},
    {"oneOf": [{"type": "number"}, {"type": "integer"}]},
    {
        "allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"required": ["b"]}],
        "type": "object",
    },
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["name", "next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
    {
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"of": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
                "required": ["of"],
            }
        },
        "$ref": "#/$defs/tree",
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("about", [ABOUT, DATA], ids=["text", "data"])
def test_values_are_valid_and_repeatable(schema: dict[str, Any], about: material.Material) -> None:
    value = sample(schema, about)
    assert Draft202012Validator(schema).is_valid(value)
    assert value == sample(schema, about)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "string", "pattern": "^a{9}$", "maxLength": 3},
        {"type": "array", "items": {"enum": ["a"]}, "minItems": 2, "uniqueItems": True},
        {"$ref": "#/$defs/none"},
        {"$ref": "#"},
        {"$ref": "https://example.com/schema"},
        {"type": "nonsense"},
        {"enum": []},
        {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
        {"type": "array", "minItems": 10**9},
        {"type": "array", "minItems": 4000, "items": {"type": "array", "minItems": 4000}},
        {"type": "string", "minLength": 10**10},
        {"type": "string", "pattern": "(a{9999}){99999}"},
        {"type": "string", "pattern": "((((a*)*)*)*)*"},
        {"type": "number", "multipleOf": 5e-324},
        {
            "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}},
            "$ref": "#/$defs/a",
        },
    ],
)
def test_what_cannot_be_satisfied_says_so(schema: dict[str, Any]) -> None:
    with pytest.raises(UnsatisfiableError):
        sample(schema, ABOUT)


def test_fields_read_like_an_answer() -> None:
    properties: dict[str, Any] = {
        "subject": {"type": "string", "maxLength": 40},
        "body": {"type": "string"},
        "priority": {"enum": ["low", "urgent"]},
        "disk": {"type": "integer", "minimum": 1, "maximum": 9},
        "actions": {"type": "array", "items": {"type": "string"}},
    }
    made = sample({"type": "object", "properties": properties, "required": list(properties)}, ABOUT)
    assert made == {
        "subject": "Disk 7 is full on db-2.",
        "body": "Disk 7 is full on db-2. Priority is urgent! Call the owner.",
        "priority": "urgent",
        "disk": 7,
        "actions": ["Disk 7 is full on db-2.", "Priority is urgent!", "Call the owner."],
    }


def test_data_in_the_message_fills_fields_of_its_name() -> None:
    properties: dict[str, Any] = {
        "channel": {"enum": ["email", "teams"]},
        "count": {"type": "integer"},
        "note": {"type": "integer"},
    }
    made = sample({"type": "object", "properties": properties, "required": list(properties)}, DATA)
    assert (made["channel"], made["count"]) == ("teams", 3)
    assert isinstance(made["note"], int)
