"""The catalogue of this Azure: the types table of `sandbox.types`, seen as the ARM core needs it."""

from __future__ import annotations

from functools import partial

from sandbox.arm.catalogue import Catalogue, TypeInfo
from sandbox.config import REGIONS
from sandbox.types import table, validate

#: Types that exist once in the world: their only location is `global`. Source: Azure's REST documentation.
_GLOBAL = frozenset(
    {
        "microsoft.network/dnszones",
        "microsoft.network/privatednszones",
        "microsoft.network/privatednszones/virtualnetworklinks",
    }
)
#: Types whose wire form has no provisioningState. Source: azure-mgmt models.
_STATELESS = (
    "microsoft.authorization/",
    "microsoft.managedidentity/",
    "microsoft.documentdb/databaseaccounts/",
    "microsoft.keyvault/vaults/",
    "microsoft.storage/storageaccounts/",
    "microsoft.resources/tags",
    "microsoft.insights/",
    "microsoft.consumption/",
)


def _locations(row: table.ArmType, name: str) -> tuple[str, ...]:
    if name.lower() in _GLOBAL:
        return ("global",)
    return (*REGIONS, "global") if row.location else REGIONS


def _info(row: table.ArmType, name: str) -> TypeInfo:
    return TypeInfo(
        name=name,
        api_versions=tuple(sorted(row.versions)),
        locations=() if row.extension else _locations(row, name),
        has_state=not name.lower().startswith(_STATELESS),
        accepts=row.accepts,
        validate=partial(validate.validate, name),
        check_name=partial(validate.check_name, name),
    )


def catalogue() -> Catalogue:
    """Every type of the table. Takes a moment: it reads the SDK's sources."""
    return Catalogue(_info(row, name) for row in table.ROWS for name in row.types)
