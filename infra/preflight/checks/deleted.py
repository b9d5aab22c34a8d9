"""Names that something deleted still holds: where the program can, it recovers it; elsewhere it has to go."""

from __future__ import annotations

from collections.abc import Iterator

from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject


def vault(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list-deleted"""
    about, stack = "vault's name", subject.stack
    name, region = stack.names.vault, stack.settings.location
    path = f"{subject.subscription}/providers/Microsoft.KeyVault/deletedVaults"
    held = [one["properties"] for one in subject.arm.list(path, "2023-07-01") if one["name"].lower() == name]
    if not held:
        yield ok(about, f"no deleted vault of this subscription holds {name}")
    for deleted in held:
        place, until = _region(deleted["location"]), deleted["scheduledPurgeDate"]
        found = f"{name} is held by a vault deleted in {place} until {until}"
        own = str(deleted["vaultId"]).lower().startswith(f"{subject.group}/".lower())
        if own and place == region:
            yield ok(about, f"{found}; the deployment recovers it")
        elif deleted.get("purgeProtectionEnabled"):
            yield missing(about, f"{found}, and cannot be purged", stack.set("suffix", "SUFFIX"))
        else:
            yield missing(about, found, f"az keyvault purge --name {name} --location {place}")


def accounts(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/aiservices/accountmanagement/deleted-accounts/list"""
    about, stack = "openai's names", subject.stack
    wanted = dict(zip((stack.names.openai, stack.names.openai_backup), stack.regions, strict=False))
    path = f"{subject.subscription}/providers/Microsoft.CognitiveServices/deletedAccounts"
    held = [one for one in subject.arm.list(path, "2024-10-01") if one["name"].lower() in wanted]
    if not held:
        yield ok(about, f"no deleted account of this subscription holds {' or '.join(wanted)}")
    for deleted in held:
        name, place = deleted["name"], _region(deleted["location"])
        group = deleted["id"].split("/resourceGroups/")[-1].split("/")[0]
        found = f"{name} is held by an account deleted in {place} (group {group})"
        if place == wanted[name.lower()] and group.lower() == stack.names.resource_group:
            yield ok(about, f"{found}; the deployment restores it")
        else:
            where = f"--location {place} --resource-group {group}"
            yield missing(about, found, f"az cognitiveservices account purge --name {name} {where}")


def _region(location: str) -> str:
    return location.replace(" ", "").lower()
