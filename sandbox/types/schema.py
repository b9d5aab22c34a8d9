"""The wire-shape tree of a type: what a body may hold, and where the SDK's flattened properties sit in it.

A `Schema` is a set of object definitions that refer to each other by name (types may be recursive) and one
root. It is plain data, kept as JSON; `sandbox.types.derive` makes it, `sandbox.types.cache` keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.types.shapes import Kind

Path = tuple[str, ...]


@dataclass(frozen=True)
class Type:
    """The type of a value. `definition` names the object's definition; `item` types arrays and maps."""

    kind: Kind
    item: Type | None = None
    definition: str | None = None
    enum: tuple[Any, ...] = ()
    #: The SDK writes this map's keys as an array (identities assigned by the user).
    keys: bool = False


@dataclass(frozen=True)
class Property:
    """One property on the wire, below its object."""

    type: Type
    required: bool = False
    read_only: bool = False
    create_only: bool = False
    write_only: bool = False


@dataclass(frozen=True)
class SdkProperty:
    """One property of the SDK's flattened object: its path on the wire, below the same object."""

    path: Path
    input: bool
    output: bool
    required: bool


@dataclass(frozen=True)
class Definition:
    """An object: its wire properties, its SDK properties, and its variants by a discriminator's value."""

    properties: Mapping[str, Property]
    sdk: Mapping[str, SdkProperty]
    discriminator: str | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    #: Whether properties that are not listed are allowed.
    additional: bool = False


@dataclass(frozen=True)
class Schema:
    definitions: Mapping[str, Definition]
    root: str

    def of(self, value_type: Type, value: Any) -> Definition | None:
        """The definition that applies to a wire object: the variant that its discriminator names, if any."""
        if value_type.definition is None:
            return None
        return self.variant(self.definitions[value_type.definition], value)

    def variant(self, definition: Definition, value: Any) -> Definition:
        if definition.discriminator and isinstance(value, Mapping):
            name = definition.variants.get(str(value.get(definition.discriminator)))
            if name is not None:
                return self.definitions[name]
        return definition

    def to_json(self) -> dict[str, Any]:
        return {"root": self.root, "definitions": {k: asdict(v) for k, v in self.definitions.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        return cls({name: _definition(entry) for name, entry in data["definitions"].items()}, data["root"])


def _definition(data: Mapping[str, Any]) -> Definition:
    properties = {
        name: Property(**{**entry, "type": _type(entry["type"])})
        for name, entry in data["properties"].items()
    }
    sdk = {
        name: SdkProperty(**{**entry, "path": tuple(entry["path"])}) for name, entry in data["sdk"].items()
    }
    return Definition(properties, sdk, data["discriminator"], data["variants"], data["additional"])


def _type(data: Mapping[str, Any]) -> Type:
    item = _type(data["item"]) if data["item"] else None
    return Type(data["kind"], item, data["definition"], tuple(data["enum"]), data["keys"])
