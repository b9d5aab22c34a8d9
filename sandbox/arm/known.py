"""The catalogue of this Azure: the types table of `sandbox.types`, seen as the ARM core needs it."""

from __future__ import annotations

from functools import partial

from sandbox.arm.catalogue import Catalogue, TypeInfo
from sandbox.config import REGIONS
from sandbox.types import cache, table, validate
from sandbox.types.schema import Definition

#: Types that exist once in the world: their only location is `global`. Source: Azure's REST documentation.
_GLOBAL = frozenset(
    {
        "microsoft.network/dnszones",
        "microsoft.network/privatednszones",
        "microsoft.network/privatednszones/virtualnetworklinks",
    }
)


def _locations(row: table.ArmType, name: str) -> tuple[str, ...]:
    if name.lower() in _GLOBAL:
        return ("global",)
    return (*REGIONS, "global") if row.location else REGIONS


def _shows(row: table.ArmType, path: str) -> bool:
    """Whether the type's wire form has what the dotted path names."""
    schema = cache.schema(row)
    root = schema.definitions[schema.root]
    if row.pulumi and "." not in path:
        # The SDK speaks the type's own version; the models, often newer, have systemData everywhere.
        return any(entry.output and entry.path == (path,) for entry in root.sdk.values())
    definition: Definition | None = root
    for name in path.split("."):
        found = definition.properties.get(name) if definition is not None else None
        if found is None:
            return False
        definition = schema.of(found.type, {})
    return True


def _info(row: table.ArmType, name: str) -> TypeInfo:
    return TypeInfo(
        name=name,
        api_versions=tuple(sorted(row.versions)),
        locations=() if row.extension else _locations(row, name),
        shows=partial(_shows, row),
        accepts=row.accepts,
        default_body=dict(row.default_body) if row.default_body is not None else None,
        singleton=row.singleton,
        converted=partial(validate.converted, name),
        validate=partial(validate.validate, name),
        check_name=partial(validate.check_name, name),
    )


def catalogue() -> Catalogue:
    """Every type of the table. Takes a moment: it reads the SDK's sources."""
    return Catalogue(_info(row, name) for row in table.ROWS for name in row.types)
