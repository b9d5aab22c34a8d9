"""What changed between two sets of inputs, property by property, and whether it takes a new resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.engine.azure_native.inputs import bare
from sandbox.engine.values import UNKNOWN
from sandbox.types.armtype import ArmType
from sandbox.types.schema import Schema
from sandbox.types.translate import type_at

Kind = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class Change:
    """One changed property. `steps` are names and array indices from the resource's top."""

    steps: tuple[str | int, ...]
    kind: Kind

    @property
    def path(self) -> str:
        """As the engine writes it: `subnets[0].name`, `tags["a.b"]`."""
        text = ""
        for step in self.steps:
            if isinstance(step, int):
                text += f"[{step}]"
            elif step.isidentifier():
                text += f".{step}" if text else step
            else:
                text += f'["{step}"]'
        return text

    @property
    def names(self) -> tuple[str, ...]:
        """Without the indices: how the types table names properties."""
        return tuple(step for step in self.steps if isinstance(step, str))


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The changes from old to new inputs. Secrets are compared by value; the unknown counts as changed."""
    return list(_walk(old, new, ()))


def replacing(row: ArmType, schema: Schema, found: Iterable[Change]) -> list[Change]:
    """Those changes that Azure cannot make to the resource that is there."""
    return [change for change in found if _replaces(row, schema, change.names)]


def _walk(old: Any, new: Any, steps: tuple[str | int, ...]) -> Iterator[Change]:
    old, new = bare(old), bare(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _walk(old.get(key), new.get(key), (*steps, key))
    elif isinstance(old, list) and isinstance(new, list):
        for number in range(max(len(old), len(new))):
            yield from _walk(_at(old, number), _at(new, number), (*steps, number))
    elif not _same(old, new, steps):
        yield Change(steps, "add" if old is None else "delete" if new is None else "update")


def _at(items: list[Any], number: int) -> Any:
    return items[number] if number < len(items) else None


def _same(old: Any, new: Any, steps: tuple[str | int, ...]) -> bool:
    if new is UNKNOWN or old is UNKNOWN:
        return False
    if steps == ("location",) and isinstance(old, str) and isinstance(new, str):
        return normalized(old) == normalized(new)
    comparable = type(old) is type(new) or (_is_number(old) and _is_number(new))
    return bool(comparable and old == new)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def normalized(location: str) -> str:
    """Azure takes "West Europe" for westeurope."""
    return location.replace(" ", "").lower()


def _replaces(row: ArmType, schema: Schema, names: tuple[str, ...]) -> bool:
    if names[0] in row.parameters:
        return True
    for entry in row.replace_on:
        parts = tuple(entry.split("."))
        if names[: len(parts)] == parts or parts[: len(names)] == names:
            return True
    property_ = schema.definitions[schema.root].sdk.get(names[0])
    if property_ is None:
        return False
    return _create_only(schema, property_.path)


def _create_only(schema: Schema, path: tuple[str, ...]) -> bool:
    definition = schema.definitions[schema.root]
    for name in path[:-1]:
        inner = type_at(schema, definition, (name,)).definition
        if inner is None:
            return False
        definition = schema.definitions[inner]
    found = definition.properties.get(path[-1])
    return found is not None and found.create_only
