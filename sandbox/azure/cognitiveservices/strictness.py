"""What a strict schema must look like (structured outputs): a subset of JSON Schema, checked up front."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from sandbox.azure.cognitiveservices.errors import OpenAIError, invalid

_MAX_DEPTH = 10
_FORBIDDEN = (
    "allOf",
    "not",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "patternProperties",
)


def check(name: str, schema: Mapping[str, Any], param: str) -> None:
    """Raises the refusal OpenAI gives, which names the place in the schema."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = tuple(str(step) for step in error.absolute_path)
        raise _refusal(name, place, f"it is no JSON schema: {error.message}", param) from error
    if schema.get("type") != "object":
        raise _refusal(
            name,
            (),
            f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'",
            param,
        )
    _walk(name, schema, (), param)


def _walk(name: str, schema: Any, path: tuple[str, ...], param: str) -> None:
    if not isinstance(schema, dict):
        raise _refusal(name, path, "a schema object was expected", param)
    if len(path) > 4 * _MAX_DEPTH:
        raise _refusal(name, path, "the schema is nested too deeply", param)
    forbidden = next((keyword for keyword in _FORBIDDEN if keyword in schema), None)
    if forbidden is not None:
        raise _refusal(name, path, f"'{forbidden}' is not permitted", param)
    if "properties" in schema or schema.get("type") == "object":
        _check_object(name, schema, path, param)
    for step, inner in _below(schema):
        _walk(name, inner, (*path, *step), param)
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        raise _refusal(name, path, "array schema missing items", param)


def _below(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The schemas directly in this one, with their places."""
    for keyword in ("properties", "$defs", "definitions"):
        for key, value in (schema.get(keyword) or {}).items():
            yield (keyword, key), value
    for index, value in enumerate(schema.get("anyOf") or ()):
        yield ("anyOf", str(index)), value
    if isinstance(schema.get("items"), dict):
        yield ("items",), schema["items"]


def _check_object(name: str, schema: Mapping[str, Any], path: tuple[str, ...], param: str) -> None:
    if schema.get("additionalProperties") is not False:
        raise _refusal(name, path, "'additionalProperties' is required to be supplied and to be false", param)
    required = schema.get("required") or []
    missing = [key for key in schema.get("properties") or {} if key not in required]
    if missing:
        problem = (
            "'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing '{missing[0]}'"
        )
        raise _refusal(name, path, problem, param)


def _refusal(name: str, path: tuple[str, ...], problem: str, param: str) -> OpenAIError:
    context = ", ".join(f"'{step}'" for step in path) + ("," if len(path) == 1 else "")
    return invalid(
        f"Invalid schema for {param.partition('.')[0]} '{name}': In context=({context}), {problem}.", param
    )
