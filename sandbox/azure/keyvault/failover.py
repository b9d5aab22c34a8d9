"""A vault whose region is down is answered from the paired region, which reads only.

Azure routes requests there by itself, and back when the region is up again; allowed are gets, lists,
backups and what a key does. Azure does not say how it words the refusal of a change; here it is a 503.
Source: https://learn.microsoft.com/azure/key-vault/general/disaster-recovery-guidance.
"""

from __future__ import annotations

from starlette.requests import Request

from sandbox.arm.resource import Resource
from sandbox.azure.keyvault.errors import KeyVaultError
from sandbox.services import Regions

_READING = ("/backup", "/encrypt", "/decrypt", "/wrapkey", "/unwrapkey")


def require_served(regions: Regions, vault: Resource, request: Request) -> None:
    """Raise KeyVaultError 503 for a change while the vault's region is down."""
    if not regions.is_down(vault.location) or request.method in ("GET", "HEAD"):
        return
    if request.method == "POST" and request.url.path.rstrip("/").endswith(_READING):
        return
    raise KeyVaultError(
        503,
        "ServiceUnavailable",
        f"The key vault '{vault.id.name}' is in read-only mode, as its region '{vault.location}' has failed "
        "over.",
    )
