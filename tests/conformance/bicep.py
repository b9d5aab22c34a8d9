"""The independent judge: ARM body types as Azure/bicep-types-az describes them.

They lie beside the project, not in it: `AGENTS_BICEP_TYPES` names the folder, else `../shared/bicep-types`
from the project's root. A file is an array of types that refer to each other by `#/index`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("AGENTS_BICEP_TYPES", ROOT.parent / "shared" / "bicep-types"))

REQUIRED, READ_ONLY, WRITE_ONLY, DEPLOY_TIME = 1, 2, 4, 8
#: The judge's names of what a body can have wrong.
Problem = tuple[str, str]


@dataclass(frozen=True)
class BicepType:
    """The body type of one resource type at one API version."""

    types: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any]

    def resolve(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.types[int(reference["$ref"].rsplit("/", 1)[1])]

    def problems(self, body: Mapping[str, Any]) -> list[Problem]:
        """(what, path) of every violation: unknown, missing, read-only, type, enum."""
        return list(self._check(body, self.body, ""))

    def _check(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        checker = _CHECKERS[kind["$type"]]
        yield from checker(self, value, kind, path)

    def _object(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield "type", path
            return
        yield from self._properties(value, kind["properties"], kind.get("additionalProperties"), path)

    def _properties(
        self, value: Mapping[str, Any], properties: Mapping[str, Any], additional: Any, path: str
    ) -> Iterator[Problem]:
        for name, entry in properties.items():
            if (
                entry["flags"] & REQUIRED
                and not entry["flags"] & (READ_ONLY | DEPLOY_TIME)
                and value.get(name) is None
            ):
                yield "missing", joined(path, name)
        for name, item in value.items():
            entry = properties.get(name)
            if entry is None:
                if additional is None:
                    yield "unknown", joined(path, name)
                else:
                    yield from self._check(item, self.resolve(additional), joined(path, name))
            elif entry["flags"] & READ_ONLY:
                yield "read-only", joined(path, name)
            elif item is not None:
                yield from self._check(item, self.resolve(entry["type"]), joined(path, name))

    def _discriminated(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield "type", path
            return
        name = kind["discriminator"]
        if name not in value:
            yield "missing", joined(path, name)
            return
        element = kind["elements"].get(value[name])
        if element is None:
            yield "enum", joined(path, name)
            return
        own = self.resolve(element)
        yield from self._properties(value, {**kind["baseProperties"], **own["properties"]}, None, path)

    def _union(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        elements = [self.resolve(item) for item in kind["elements"]]
        if any(not list(self._check(value, element, path)) for element in elements):
            return
        literals = all(element["$type"] == "StringLiteralType" for element in elements)
        yield ("enum" if literals and isinstance(value, str) else "type"), path

    def _array(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield "type", path
            return
        for number, item in enumerate(value):
            yield from self._check(item, self.resolve(kind["itemType"]), f"{path}[{number}]")

    def _string(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield "type", path

    def _literal(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield "type", path
        elif value != kind["value"]:
            yield "enum", path

    def _integer(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        # The format has no other number: it stands for floating-point ones too.
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield "type", path

    def _boolean(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield "type", path

    def _any(self, value: Any, kind: Mapping[str, Any], path: str) -> Iterator[Problem]:
        yield from ()


_CHECKERS = {
    "ObjectType": BicepType._object,
    "DiscriminatedObjectType": BicepType._discriminated,
    "UnionType": BicepType._union,
    "ArrayType": BicepType._array,
    "StringType": BicepType._string,
    "StringLiteralType": BicepType._literal,
    "IntegerType": BicepType._integer,
    "BooleanType": BicepType._boolean,
    "AnyType": BicepType._any,
    "BuiltInType": BicepType._any,
    "NullType": BicepType._any,
}


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@cache
def _file(path: Path) -> tuple[Mapping[str, Any], ...]:
    return tuple(json.loads(path.read_text(encoding="utf-8")))


@cache
def bicep_type(arm_type: str, api_version: str) -> BicepType | None:
    """The body type of `Microsoft.KeyVault/vaults` at a version; None where the data does not hold it."""
    folder = FOLDER / arm_type.partition("/")[0].lower() / api_version
    for file in sorted(folder.glob("types*.json")):
        types = _file(file)
        for entry in types:
            if (
                entry["$type"] == "ResourceType"
                and entry["name"].lower() == f"{arm_type}@{api_version}".lower()
            ):
                return BicepType(types, types[int(entry["body"]["$ref"].rpartition("/")[2])])
    return None
