"""What a vault's properties mean for its secrets."""

from __future__ import annotations

from sandbox.arm.resource import Resource

DEFAULT_RETENTION_DAYS = 90


def retention_days(vault: Resource) -> int:
    return int(vault.properties.get("softDeleteRetentionInDays") or DEFAULT_RETENTION_DAYS)


def recovery_level(vault: Resource) -> str:
    """`DeletionRecoveryLevel` of the REST API."""
    customized = "" if retention_days(vault) == DEFAULT_RETENTION_DAYS else "Customized"
    purgeable = "" if vault.properties.get("enablePurgeProtection") else "+Purgeable"
    return f"{customized}Recoverable{purgeable}"
