"""The environment that a backup belongs to: its copies are made from there, so it has to be up."""

from __future__ import annotations

from collections.abc import Iterator

from infra.naming import Names
from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject
from infra.settings import Settings, read_source
from infra.settings.restores import last_adopted

_GROUPS = "2022-09-01"
_ACTION_GROUPS = "Microsoft.Insights/actionGroups"


def up(subject: Subject) -> Iterator[Finding]:
    """Whether everything is there that is copied, asked how old it is, or told that copies are late.

    https://learn.microsoft.com/rest/api/resources/resources/list-by-resource-group
    """
    stack = subject.stack
    about, title = f"stack {stack.settings.source}", stack.settings.source
    source = read_source(stack.settings)
    group = f"{subject.subscription}/resourceGroups/{_names(source).resource_group}"
    if subject.arm.find(group, _GROUPS) is None:
        found = f"there is no group {_names(source).resource_group}: {title} is not up"
        yield missing(about, found, f"pulumi up --stack {title}")
        return
    listed = subject.arm.list(f"{group}/resources", "2021-04-01")
    there = {_key(str(one["type"]), str(one["name"])) for one in listed}
    wanted = [*_used(source), *_told(stack.settings)]
    absent = [f"{kind}/{name}" for kind, name in wanted if _key(kind, name) not in there]
    groups = [one.rpartition("/ag-")[2] for one in absent if one.startswith(_ACTION_GROUPS)]
    others = [one for one in absent if not one.startswith(_ACTION_GROUPS)]
    if others:
        found = f"{len(others)} of what is copied is not in {_names(source).resource_group}: "
        yield missing(about, found + ", ".join(others), f"pulumi up --stack {title} --refresh")
    for channel in groups:
        yield missing(
            about,
            f"{title} tells nobody by {channel} ({_names(source).resource_group} has no ag-{channel}), and "
            "agents:backup.channels names it",
            f"set agents:alerts of {title} and pulumi up --stack {title}, or take {channel} out of "
            f"agents:backup.channels in Pulumi.{stack.name}.yaml",
        )
    if not absent:
        yield ok(
            about, f"all {len(wanted)} resources that copies need are in {_names(source).resource_group}"
        )


def _names(settings: Settings) -> Names:
    return Names(settings.environment, settings.suffix)


def _used(source: Settings) -> Iterator[tuple[str, str]]:
    """As infra/stacks/backup.py names them."""
    names = _names(source)
    adopted = last_adopted(source.restores, "cosmos")
    yield "Microsoft.ContainerService/managedClusters", names.cluster
    yield "Microsoft.KeyVault/vaults", names.vault
    yield "Microsoft.Storage/storageAccounts", names.storage
    yield "Microsoft.ContainerRegistry/registries", names.registry
    cosmos = names.restored_cosmos(adopted.as_of) if adopted else names.cosmos
    yield "Microsoft.DocumentDB/databaseAccounts", cosmos
    yield "Microsoft.Sql/servers", names.sql
    yield "Microsoft.OperationalInsights/workspaces", names.workspace
    yield "Microsoft.Monitor/accounts", names.metrics
    if source.network.private:
        yield "Microsoft.Network/virtualNetworks", names.network
    elif source.network.allowed_ranges:
        yield "Microsoft.Network/publicIPAddresses", names.egress_address


def _told(settings: Settings) -> Iterator[tuple[str, str]]:
    for channel in settings.backup.channels:
        yield _ACTION_GROUPS, f"ag-{channel}"


def _key(kind: str, name: str) -> tuple[str, str]:
    return kind.lower(), name.lower()
