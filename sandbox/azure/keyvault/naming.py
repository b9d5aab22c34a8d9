"""Vault names: unique in the whole cloud, and taken for as long as a soft-deleted vault holds them."""

from __future__ import annotations

import re

from sandbox.arm.errors import ArmError, conflict
from sandbox.arm.resource import ResourceId
from sandbox.azure.dataplane import find, find_deleted
from sandbox.services import Store

TYPE = "Microsoft.KeyVault/vaults"
_NAME = re.compile(r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]")


def invalid(name: str) -> str | None:
    """Azure's explanation, if the name breaks the rules."""
    if _NAME.fullmatch(name):
        return None
    return (
        f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. "
        "The name must begin with a letter, end with a letter or digit, and not contain consecutive "
        "hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
    )


def taken(store: Store, name: str, by_other_than: ResourceId | None = None) -> ArmError | None:
    """Azure's refusal, if the name cannot be used for a new vault."""
    live = find(store, TYPE, name)
    if live is not None and live.id != by_other_than:
        return conflict(
            "VaultAlreadyExists",
            f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible "
            "that the name is already taken. If you are sure that the vault name was not taken then it is "
            "possible that a vault with the same name was recently deleted but not purged after being "
            "placed in a recoverable state. If the vault is in a recoverable state then the vault will "
            "need to be purged before reusing the name. For more information on VaultAlreadyExists and how "
            "to recover or purge a deleted vault see https://go.microsoft.com/fwlink/?linkid=2147740.",
        )
    if live is None and find_deleted(store, TYPE, name) is not None:
        return conflict(
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or "
            f"purge existing key vault '{name}'. Follow this link "
            "https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
        )
    return None
