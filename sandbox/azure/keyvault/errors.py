"""Key Vault's refusals, in its wording: `{"error": {"code", "message", "innererror": {"code"}}}`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_HELP_DELETED = "https://go.microsoft.com/fwlink/?linkid=2125182"


@dataclass
class KeyVaultError(Exception):
    status: int
    code: str
    message: str
    inner: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.inner is not None:
            error["innererror"] = {"code": self.inner}
        return {"error": error}


def bad_parameter(message: str) -> KeyVaultError:
    return KeyVaultError(400, "BadParameter", message)


def not_found(name: str, kind: str = "secret") -> KeyVaultError:
    """`kind` is `secret` or `key`, here and below."""
    return KeyVaultError(
        404,
        f"{kind.title()}NotFound",
        f"A {kind} with (name/id) {name} was not found in this key vault. If you recently deleted this "
        f"{kind} you may be able to recover it using the correct recovery command. For help resolving this "
        f"issue, please see {_HELP_DELETED}",
    )


def not_deleted(name: str, kind: str = "secret") -> KeyVaultError:
    return KeyVaultError(404, f"{kind.title()}NotFound", f"Deleted {kind.title()} not found: {name}")


def name_in_deleted_state(name: str, kind: str = "secret") -> KeyVaultError:
    return KeyVaultError(
        409,
        "Conflict",
        f"{kind.title()} {name} is currently in a deleted but recoverable state, and its name cannot be "
        f"reused; in this state, the {kind} can only be recovered or purged.",
        "ObjectIsDeletedButRecoverable",
    )


def name_taken(name: str) -> KeyVaultError:
    return KeyVaultError(
        409,
        "Conflict",
        f"A secret with name {name} already exists in this key vault, and its name cannot be reused.",
        "ObjectAlreadyExists",
    )


def disabled(operation: str, kind: str = "secret") -> KeyVaultError:
    return KeyVaultError(
        403,
        "Forbidden",
        f"Operation {operation} is not allowed on a disabled {kind}.",
        f"{kind.title()}Disabled",
    )


def operation_forbidden(operation: str) -> KeyVaultError:
    return KeyVaultError(
        403,
        "Forbidden",
        f"Operation {operation} is not permitted on this key. Enable the operation in the key's operations "
        "first.",
        "KeyOperationForbidden",
    )


def purge_protected(vault: str, location: str | None) -> KeyVaultError:
    return KeyVaultError(
        403,
        "Forbidden",
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault '
        "service will automatically purge it after the retention period has passed.\r\nVault: "
        f"{vault};location={location}",
        "ForbiddenByPurgeProtection",
    )
