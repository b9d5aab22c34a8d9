"""Where a backup stack keeps the copies of its environment's secrets, and whether they can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infra.naming import COPIED_SECRETS, COPIES_KEY, Names

CONTAINER = f"blobServices/default/containers/{COPIED_SECRETS}"
KEY = f"keys/{COPIES_KEY}"
_STORAGE, _VAULT = "2023-05-01", "2023-07-01"
#: A path below the subscription and the version of its API -> what is there, or None.
Read = Callable[[str, str], Mapping[str, Any] | None]


def missing_of(names: Names, read: Read) -> list[str]:
    """What of the backup stack of these names is not there, as people call it."""
    group = f"resourceGroups/{names.resource_group}/providers"
    needed = {
        f"key {COPIES_KEY} in vault {names.vault}": (
            f"{group}/Microsoft.KeyVault/vaults/{names.vault}/{KEY}",
            _VAULT,
        ),
        f"container {COPIED_SECRETS} in account {names.storage}": (
            f"{group}/Microsoft.Storage/storageAccounts/{names.storage}/{CONTAINER}",
            _STORAGE,
        ),
    }
    return [title for title, (path, version) in needed.items() if read(path, version) is None]
