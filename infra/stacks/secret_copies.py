"""The secrets of a stamp's source, from the copies that its backup stack keeps, where there are any."""

from __future__ import annotations

import pulumi

from infra.azure import resource_manager
from infra.azure.copies_shared import SharedCopies, SharedCopiesArgs
from infra.azure.own_roles import OwnRole, OwnRoleArgs
from infra.azure.vault import Vault
from infra.recovery.secret_copies import CONTAINER, KEY, missing_of
from infra.settings import Settings
from infra.stacks.ground import Ground
from infra.stacks.source import Source
from infra.workload.secret_restoration import NAME, RestoreSecrets

_SECRETS = "Microsoft.KeyVault/vaults/secrets"


def found(settings: Settings, source: Source) -> bool:
    """Whether there are copies to restore from, where that is wanted: asked before anything is declared.

    A stamp without them is better than none, so what is missing is only said.
    """
    recovery = settings.recovery
    if recovery.secrets == "none" or recovery.phase != "serving":
        return False
    missing = missing_of(source.backup.names, resource_manager.reader(source.cloud))
    if missing:
        pulumi.log.warn(_without(settings, missing))
    return not missing


def _without(settings: Settings, missing: list[str]) -> str:
    stack, source = settings.environment, settings.source
    lines = [
        f"{stack} comes up without the secrets of {source}, but for those that its own settings have:",
        *(f"  - there is no {one} that whoever deploys may read" for one in missing),
        f"Bring {source}-backup up while {source} is whole, or let whoever deploys read it, and try again.",
        "If there are no copies: az keyvault secret set, by hand. Without them on purpose:",
        f"pulumi config set --stack {stack} --path agents:recovery.secrets none",
    ]
    return "\n".join(lines)


def restored(ground: Ground, vault: Vault, source: Source) -> RestoreSecrets:
    """Let an identity of its own bring the copies into `vault`; what the Job is told."""
    identity, backup = ground.identity(NAME), source.backup
    grantee = identity.grantee()
    copies = SharedCopies(
        "copies",
        SharedCopiesArgs(
            account=backup.storage.id,
            container=backup.storage.child(CONTAINER),
            vault=backup.vault.id,
            key=backup.vault.child(KEY),
            group=backup.group_id,
            owner=ground.names.resource_group,
            place=ground.place,
            exposure=ground.exposure,
            readers=[grantee],
        ),
    )
    writer = OwnRole(
        "secret-writer",
        OwnRoleArgs(
            title=f"{ground.names.resource_group} secret writer",
            description="Gets and sets secrets; neither lists nor deletes any.",
            scope=ground.group.id,
            data_actions=[f"{_SECRETS}/getSecret/action", f"{_SECRETS}/setSecret/action"],
        ),
    )
    writer.grant("restore-secrets", [grantee], vault.resource.id)
    return RestoreSecrets(
        identity=identity,
        source_vault=source.own.vault_uri,
        copies=backup.blob_endpoint,
        key=f"{backup.vault_uri}{KEY}",
        kept=vault.sets,
        ready=[copies, *grantee.rights],
    )
