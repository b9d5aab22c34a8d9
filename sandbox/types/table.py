"""The types table: one row per ARM type, looked up by ARM type, by Pulumi token, or by resource id."""

from __future__ import annotations

import re

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows import containers, databases, monitor, network, resilience, resources, services

__all__ = ["ROWS", "ArmType", "NameRule", "by_arm_type", "by_id", "by_token"]

ROWS: tuple[ArmType, ...] = (
    *resources.ROWS,
    *containers.ROWS,
    *databases.ROWS,
    *services.ROWS,
    *network.ROWS,
    *monitor.ROWS,
    *resilience.ROWS,
)

_BY_TYPE = {name.lower(): row for row in ROWS for name in row.types}
_BY_TOKEN = {row.pulumi: row for row in ROWS if row.pulumi}
_TOKEN_VERSION = re.compile(r"/v\d+\w*(?=:)")


def by_arm_type(name: str) -> ArmType | None:
    """The row of `Microsoft.KeyVault/vaults` (case-insensitive); None when the table has none."""
    return _BY_TYPE.get(name.lower())


def by_token(token: str) -> ArmType | None:
    """The row of a Pulumi token; one with a version (`azure-native:keyvault/v20230201:Vault`) is the same."""
    return _BY_TOKEN.get(_TOKEN_VERSION.sub("", token))


def by_id(resource_id: str) -> ArmType | None:
    """The row of a resource id."""
    _, found, rest = resource_id.rstrip("/").lower().rpartition("/providers/")
    if not found:
        return _BY_TYPE.get("microsoft.resources/resourcegroups") if resource_id.count("/") == 4 else None
    namespace, *segments = rest.split("/")
    return _BY_TYPE.get("/".join([namespace, *segments[::2]]))
