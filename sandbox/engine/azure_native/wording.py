"""How ARM's refusals read to the user: the resource, the property as the program names it, and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.engine.azure_native.arm_client import RefusedError
from sandbox.types.schema import Definition, Schema
from sandbox.types.translate import type_at

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def describe(doing: str, resource: str, schema: Schema | None, error: RefusedError) -> str:
    """`creating …/vaults/kv: Status=400 Code="…" Message="…" Property="properties.sku"`, details below."""
    return "\n".join(
        [f"{doing} {resource}: {_one(schema, error)}", *_details(schema, error, error.details, "  ")]
    )


def _one(schema: Schema | None, error: RefusedError) -> str:
    text = f'Status={error.status} Code="{error.code}" Message="{error.message}"'
    if not error.target:
        return text
    return f'{text} Property="{sdk_path(schema, error.target) if schema else error.target}"'


def _details(
    schema: Schema | None, above: RefusedError, errors: list[RefusedError], indent: str
) -> Iterator[str]:
    for error in errors:
        if error.message != above.message or error.target != above.target:
            yield f"{indent}{_one(schema, error)}"
        yield from _details(schema, error, error.details, indent + "  ")


def sdk_path(schema: Schema, wire: str) -> str:
    """The program's name of a wire path: `properties.subnets[0].properties.addressPrefix` is
    `subnets[0].addressPrefix`. What cannot be followed is left as it is."""
    steps: list[str | int] = [name or int(number) for name, number in _STEP.findall(wire)]
    definition: Definition | None = schema.definitions[schema.root]
    text = ""
    while steps:
        if isinstance(steps[0], int):
            text += f"[{steps.pop(0)}]"
            continue
        taken, name, definition = _step(schema, definition, steps)
        text += f".{name}" if text else name
        del steps[:taken]
    return text


def _step(
    schema: Schema, definition: Definition | None, steps: list[str | int]
) -> tuple[int, str, Definition | None]:
    """(wire steps taken, the SDK's name, the definition below) of the longest match."""
    first = str(steps[0])
    if definition is None:
        return 1, first, None
    for name, entry in sorted(definition.sdk.items(), key=lambda item: -len(item[1].path)):
        if tuple(steps[: len(entry.path)]) == entry.path:
            below = type_at(schema, definition, entry.path)
            while below.item is not None:
                below = below.item
            return len(entry.path), name, schema.definitions.get(below.definition or "")
    bag = definition.properties.get(first)
    if bag is not None and bag.type.definition and len(steps) == 1:
        return 1, first, schema.definitions.get(bag.type.definition)
    if bag is not None and len(steps) > 1:
        return 2, str(steps[1]), None
    return 1, first, None
