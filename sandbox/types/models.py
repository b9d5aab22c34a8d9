"""Reads the models of the azure-mgmt packages, of both generations, as fields on the wire.

The older generation describes a class by `_attribute_map` (wire paths, flattened with dots), `_validation`
and `_subtype_map`; enums are named in its documentation only. The newer one has a descriptor (`rest_field`)
per property, with its visibility, and annotations.
"""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

from sandbox.types.shapes import ANY, STRING, Field, Kind, Shape

_UNESCAPED_DOT = re.compile(r"(?<!\\)\.")
_ENUM_DOC = re.compile(r":vartype (\w+): (?:list\[)?str or ~[\w.]+\.models\.(\w+)")

#: Type names of the older generation's serializer; dates and durations are strings on the wire.
_PRIMITIVES: Mapping[str, Kind] = {
    "str": "string",
    "bool": "boolean",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "decimal": "number",
    "iso-8601": "string",
    "rfc-1123": "string",
    "duration": "string",
    "date": "string",
    "time": "string",
    "bytearray": "string",
    "base64": "string",
    "unix-time": "integer",
    "object": "any",
}
_NUMBERS: Mapping[type, Kind] = {bool: "boolean", int: "integer", float: "number", Decimal: "number"}


def load(reference: str) -> type:
    """The class behind `azure.mgmt.keyvault:Vault`."""
    package, _, name = reference.partition(":")
    found: type = getattr(import_module(f"{package}.models"), name)
    return found


def is_old(model: type) -> bool:
    return hasattr(model, "_attribute_map")


@cache
def fields(model: type) -> tuple[Field, ...]:
    """The properties of a model, inherited ones included."""
    return tuple(_old_fields(model) if is_old(model) else _new_fields(model))


@cache
def takes_any(model: type) -> bool:
    """Whether properties the model does not name are allowed."""
    return is_old(model) and any(entry["key"] == "" for entry in _map(model).values())


@cache
def variants(model: type) -> tuple[str, Mapping[str, type]] | None:
    """Wire name of the discriminator and the class of each of its values; None for a plain class."""
    found = _old_variants(model) if is_old(model) else _new_variants(model)
    return found if found and found[1] else None


def _map(model: type) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = vars(model).get("_attribute_map") or model._attribute_map  # type: ignore[attr-defined]  # noqa: SLF001
    return found


def _old_fields(model: type) -> typing.Iterator[Field]:
    validation: Mapping[str, Mapping[str, Any]] = getattr(model, "_validation", {})
    namespace = _namespace(model)
    enums = {
        name: enum_name
        for base in reversed(model.__mro__)
        for name, enum_name in _ENUM_DOC.findall(re.sub(r"\n\s+", " ", base.__doc__ or ""))
    }
    for attribute, entry in _map(model).items():
        if not entry["key"]:
            continue
        path = tuple(part.replace("\\.", ".") for part in _UNESCAPED_DOT.split(entry["key"]))
        rules = validation.get(attribute, {})
        shape = _with_enum(_old_shape(entry["type"], namespace), namespace.get(enums.get(attribute, "")))
        yield Field(path, attribute, shape, bool(rules.get("required")), bool(rules.get("readonly")))


def _namespace(model: type) -> Mapping[str, Any]:
    """Names of the package's models: classes and enums side by side."""
    return vars(import_module(model.__module__.rsplit(".models", 1)[0] + ".models"))


def _old_shape(text: str, namespace: Mapping[str, Any]) -> Shape:
    if text.startswith("["):
        return Shape("array", _old_shape(text[1:-1], namespace))
    if text.startswith("{"):
        return Shape("map", _old_shape(text[1:-1], namespace))
    if text in _PRIMITIVES:
        return Shape(_PRIMITIVES[text])
    found = namespace.get(text)
    if isinstance(found, type) and issubclass(found, enum.Enum):
        return _with_enum(STRING, found)
    return Shape("object", classes=(found,)) if isinstance(found, type) else ANY


def _with_enum(shape: Shape, values: Any) -> Shape:
    if not isinstance(values, enum.EnumMeta):
        return shape
    if shape.kind in {"array", "map"} and shape.item is not None:
        return Shape(shape.kind, _with_enum(shape.item, values))
    if shape.kind != "string":
        return shape
    members: Iterable[enum.Enum] = values.__members__.values()
    return Shape("string", enum=tuple(str(member.value) for member in members), open=True)


def _old_variants(model: type) -> tuple[str, Mapping[str, type]] | None:
    subtypes = vars(model).get("_subtype_map")
    if not subtypes:
        return None
    attribute, names = next(iter(subtypes.items()))
    namespace = _namespace(model)
    found: dict[str, type] = {}
    for value, name in names.items():
        found[value] = namespace[name]
        deeper = _old_variants(namespace[name])
        if deeper:
            found.update(deeper[1])
    return _map(model)[attribute]["key"].replace("\\.", "."), found


def _rest_fields(model: type) -> Mapping[str, tuple[Any, type]]:
    """Attribute -> (descriptor, class that declares it), nearest declaration last and so winning."""
    return {
        name: (value, base)
        for base in reversed(model.__mro__)
        for name, value in vars(base).items()
        if hasattr(value, "_visibility")
    }


def _new_fields(model: type) -> typing.Iterator[Field]:
    for attribute, (descriptor, owner) in _rest_fields(model).items():
        annotation = owner.__annotations__.get(attribute, Any)
        visibility = set(descriptor._visibility or ("read", "create", "update"))  # noqa: SLF001
        shape = _new_shape(annotation, _namespace(owner), descriptor._format)  # noqa: SLF001
        yield Field(
            (descriptor._rest_name_input or attribute,),  # noqa: SLF001
            attribute,
            shape,
            required=not _optional(annotation),
            read_only=not visibility & {"create", "update"},
            create_only="create" in visibility and "update" not in visibility,
            write_only="read" not in visibility,
        )


def _optional(annotation: Any) -> bool:
    return type(None) in typing.get_args(annotation)


def _new_shape(annotation: Any, namespace: Mapping[str, Any], wire_format: str | None) -> Shape:
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        annotation = namespace.get(annotation.rsplit(".", 1)[-1], Any)
    origin = typing.get_origin(annotation)
    arguments = [part for part in typing.get_args(annotation) if part is not type(None)]
    if origin in {typing.Union, types.UnionType}:
        return _new_union([_new_shape(part, namespace, wire_format) for part in arguments])
    if origin is typing.Literal:
        values = tuple(value.value if isinstance(value, enum.Enum) else value for value in arguments)
        return Shape("string", enum=values)
    if origin in {list, set, tuple}:
        return Shape("array", _new_shape(arguments[0], namespace, wire_format))
    if origin in {dict, Mapping}:
        return Shape("map", _new_shape(arguments[1], namespace, wire_format))
    # `Any` has become a class.
    if annotation is Any or not isinstance(annotation, type):
        return ANY
    return _new_class(annotation, wire_format)


def _new_union(shapes: list[Shape]) -> Shape:
    """`Union[str, Enum]` is an open enum; a union of one is that one; anything else is not looked into."""
    if len(shapes) == 1:
        return shapes[0]
    named = next((shape for shape in shapes if shape.enum), None)
    if named and all(shape.kind == "string" for shape in shapes):
        return Shape("string", enum=named.enum, open=True)
    return ANY


def _new_class(found: type, wire_format: str | None) -> Shape:
    if issubclass(found, enum.Enum):
        return _with_enum(STRING, found)
    for number, kind in _NUMBERS.items():
        if found is number:
            return Shape(kind)
    if hasattr(found, "_is_model"):
        return Shape("object", classes=(found,))
    if found is object:
        return ANY
    return Shape("integer") if wire_format == "unix-timestamp" else STRING


def _new_variants(model: type) -> tuple[str, Mapping[str, type]] | None:
    mapping = vars(model).get("__mapping__")
    if not mapping:
        return None
    for attribute, (descriptor, _) in _rest_fields(model).items():
        if descriptor._is_discriminator:  # noqa: SLF001
            values = {str(getattr(value, "value", value)): subtype for value, subtype in mapping.items()}
            for subtype in list(values.values()):
                deeper = _new_variants(subtype)
                if deeper:
                    values.update(deeper[1])
            return descriptor._rest_name_input or attribute, values  # noqa: SLF001
    return None
