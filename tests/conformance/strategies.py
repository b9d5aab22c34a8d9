"""Random SDK inputs of a type, drawn from its schema."""

from typing import Any

from hypothesis import strategies as st

from sandbox.engine.azure_native.outputs import settable
from sandbox.types import cache
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Definition, Schema, Type
from sandbox.types.translate import type_at

_DEPTH = 5
_TEXT = st.text(alphabet="abcxyz019-", min_size=1, max_size=6)
_LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "string": _TEXT,
    "any": _TEXT,
    "integer": st.integers(0, 1000),
    "number": st.integers(0, 1000) | st.floats(0, 1000, allow_nan=False),
    "boolean": st.booleans(),
}


def inputs(row: ArmType) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs of a resource without its path parameters: what is required, and some of the rest."""
    schema = cache.schema(row)
    return _object(schema, schema.definitions[schema.root], _DEPTH)


def _object(schema: Schema, definition: Definition, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    if definition.variants:
        names = [name for name in definition.variants.values() if schema.definitions[name].sdk]
        if names:
            return st.sampled_from(names).flatmap(
                lambda name: _object(schema, schema.definitions[name], depth)
            )
    required, optional = {}, {}
    for name, entry in settable(schema, definition).items():
        expected = type_at(schema, definition, entry.path)
        if entry.required or _required(schema, definition, entry.path):
            required[name] = _later(schema, expected, depth - 1)
        elif depth > 0:
            optional[name] = _later(schema, expected, depth - 1)
    if not optional:
        return st.fixed_dictionaries(required)
    chosen = st.lists(st.sampled_from(sorted(optional)), unique=True, max_size=4)
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries({**required, **{name: optional[name] for name in names}})
    )


def _later(schema: Schema, expected: Type, depth: int) -> st.SearchStrategy[Any]:
    """Types are recursive: what is below is looked at only when it is drawn."""
    return st.deferred(lambda: _value(schema, expected, depth))


def _required(schema: Schema, definition: Definition, path: tuple[str, ...]) -> bool:
    for name in path[:-1]:
        inner = type_at(schema, definition, (name,)).definition
        if inner is None:
            return False
        definition = schema.definitions[inner]
    return path[-1] in definition.properties and definition.properties[path[-1]].required


def _value(schema: Schema, expected: Type, depth: int) -> st.SearchStrategy[Any]:
    if expected.enum:
        return st.sampled_from(expected.enum)
    if expected.keys:
        return st.lists(_TEXT, unique=True, max_size=2)
    if expected.kind == "object" and expected.definition is not None:
        return _object(schema, schema.definitions[expected.definition], depth)
    if expected.kind == "array" and expected.item is not None:
        return st.lists(_value(schema, expected.item, depth), max_size=2 if depth > 0 else 0)
    if expected.kind == "map" and expected.item is not None:
        return st.dictionaries(_TEXT, _value(schema, expected.item, depth), max_size=2 if depth > 0 else 0)
    return _LEAVES[expected.kind]
