"""Between the SDK's flattened properties and ARM's bodies, both ways, along a type's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.types import cache, table
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Definition, Schema, Type


def to_wire(type_name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PUT for SDK inputs (camelCase). Path parameters are left out; unset (None) values too.

    Raises LookupError for a property the type does not have.
    """
    row = _row(type_name)
    schema = cache.schema(row)
    root = schema.definitions[schema.root]
    given = {
        name: value for name, value in inputs.items() if name not in row.parameters or _in_body(root, name)
    }
    body = _object_to_wire(schema, root, given, "")
    for name, entry in root.properties.items():
        if entry.required and name not in body and f"{schema.root}/{name}" == entry.type.definition:
            body[name] = {}
    return body


def from_wire(type_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK's outputs of a body that ARM answered. What the SDK does not know is left out."""
    schema = cache.schema(_row(type_name))
    return _object_from_wire(schema, schema.definitions[schema.root], body)


def _in_body(root: Definition, name: str) -> bool:
    """Whether a path parameter is a property of the body too."""
    return name in root.sdk and root.sdk[name].input


def _row(type_name: str) -> ArmType:
    row = table.by_arm_type(type_name)
    if row is None:
        raise LookupError(f"there is no ARM type {type_name} in the table")
    return row


def type_at(schema: Schema, definition: Definition, path: tuple[str, ...]) -> Type:
    """The wire type at a path below an object. Raises LookupError where there is none."""
    for name in path[:-1]:
        inner = definition.properties[name].type.definition
        if inner is None:
            return Type("any")
        definition = schema.definitions[inner]
    return definition.properties[path[-1]].type if path[-1] in definition.properties else Type("any")


def variant_of(schema: Schema, definition: Definition, value: Mapping[str, Any]) -> Definition:
    """The variant of an SDK object. Its discriminator may have another name in the SDK (`odataType`)."""
    if definition.discriminator is None:
        return definition
    for name in definition.variants.values():
        variant = schema.definitions[name]
        for sdk_name, entry in variant.sdk.items():
            if entry.path == (definition.discriminator,) and sdk_name in value:
                return schema.variant(definition, {definition.discriminator: value[sdk_name]})
    return schema.variant(definition, value)


def _object_to_wire(
    schema: Schema, definition: Definition, value: Mapping[str, Any], path: str
) -> dict[str, Any]:
    definition = variant_of(schema, definition, value)
    body: dict[str, Any] = {}
    for name, item in value.items():
        if item is None:
            continue
        entry = definition.sdk.get(name)
        where = f"{path}.{name}" if path else name
        if entry is None:
            if definition.sdk and not definition.additional:
                raise LookupError(f"'{where}' is not a property of this type")
            body[name] = item
            continue
        target = body
        for step in entry.path[:-1]:
            target = target.setdefault(step, {})
        target[entry.path[-1]] = _value_to_wire(schema, type_at(schema, definition, entry.path), item, where)
    return body


def _value_to_wire(schema: Schema, expected: Type, value: Any, path: str) -> Any:
    if expected.keys and isinstance(value, list):
        return {key: {} for key in value}
    if expected.kind == "object" and expected.definition is not None and isinstance(value, Mapping):
        return _object_to_wire(schema, schema.definitions[expected.definition], value, path)
    if expected.kind == "array" and expected.item is not None and isinstance(value, list):
        return [_value_to_wire(schema, expected.item, item, f"{path}[{n}]") for n, item in enumerate(value)]
    if expected.kind == "map" and expected.item is not None and isinstance(value, Mapping):
        return {
            key: _value_to_wire(schema, expected.item, item, f"{path}.{key}") for key, item in value.items()
        }
    return value


def _object_from_wire(schema: Schema, definition: Definition, body: Mapping[str, Any]) -> dict[str, Any]:
    definition = schema.variant(definition, body)
    if not definition.sdk:
        return dict(body)
    found = {}
    for name, entry in definition.sdk.items():
        value: Any = body
        for step in entry.path:
            value = _field(value, step)
        if value is not None:
            found[name] = _value_from_wire(schema, type_at(schema, definition, entry.path), value)
    return found


def _field(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    return next((item for key, item in value.items() if key.lower() == name.lower()), None)


def _value_from_wire(schema: Schema, expected: Type, value: Any) -> Any:
    if expected.kind == "object" and expected.definition is not None and isinstance(value, Mapping):
        return _object_from_wire(schema, schema.definitions[expected.definition], value)
    if expected.kind == "array" and expected.item is not None and isinstance(value, list):
        return [_value_from_wire(schema, expected.item, item) for item in value]
    if expected.kind == "map" and expected.item is not None and isinstance(value, Mapping):
        return {key: _value_from_wire(schema, expected.item, item) for key, item in value.items()}
    return value
