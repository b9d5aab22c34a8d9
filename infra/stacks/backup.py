"""The backup of an environment: in its paired region, copies of what has no backup of its own.

It reads the environment's settings file and computes the names of what is copied; the environment has to be
up, as the copying is done from its cluster. docs/recovery.md
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi_azure_native import resources

from infra.azure.alert_rules import AlertRules, AlertRulesArgs
from infra.azure.backup_vault import BackupVault, BackupVaultArgs
from infra.azure.budget import Budget, BudgetArgs
from infra.azure.copies import Copies, CopiesArgs
from infra.azure.identity import Identity, IdentityArgs
from infra.azure.locks import Locks, LocksArgs
from infra.azure.own_roles import OwnRole, OwnRoleArgs
from infra.azure.place import Place
from infra.azure.registry import Registry, RegistryArgs
from infra.azure.roles import Role, grant
from infra.azure.storage import DEAD_LETTERS
from infra.azure.vault import Vault, VaultArgs
from infra.azure.wrapping_key import WrappingKey, WrappingKeyArgs
from infra.cloud import Cloud
from infra.naming import Names
from infra.observability.alerts import Channel
from infra.observability.backup_alerts import BACKUP_ALERTS
from infra.settings import Settings, SettingsError, read_source
from infra.stacks.operators import operators_of
from infra.stacks.source import Source
from infra.stacks.workload import reach_of
from infra.workload.backup import BackupWorker, BackupWorkerArgs, Originals
from infra.workload.image_copies import ImageCopies, ImageCopiesArgs

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_INFORMATION = (
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/retrieveContinuousBackupInformation/action"
)


def compose(settings: Settings, cloud: Cloud) -> dict[str, pulumi.Output[Any] | str]:
    """Declare the backup of `settings.source`; the result is the stack's outputs."""
    source = Source(read_source(settings), cloud)
    names, operators = Names(settings.environment, settings.suffix), operators_of(settings)
    _require_another_region(settings, source)
    exposure, workspace = source.exposure, source.workspace_id

    group = resources.ResourceGroup(
        "group",
        resource_group_name=names.resource_group,
        location=settings.location,
        tags=names.tags(),
    )
    place = Place(
        cloud=cloud,
        resource_group=group.name,
        location=settings.location,
        paired=None,
        protect=settings.protect,
        tags=names.tags(),
        zonal=bool(settings.cluster.zones),
    )
    copier = Identity("copier", IdentityArgs(names.identity("copier"), place))
    grantee = copier.grantee()
    writer = OwnRole(
        "writer",
        OwnRoleArgs(
            title=f"{names.resource_group} copy writer",
            description="Creates blobs and reads them; neither changes nor deletes any.",
            scope=group.id,
            data_actions=[f"{_BLOBS}/read", f"{_BLOBS}/add/action"],
        ),
    )
    copies = Copies(
        "copies",
        CopiesArgs(
            account=names.storage,
            place=place,
            settings=settings.backup,
            exposure=exposure,
            workspace_id=workspace,
            writer=writer,
            copier=grantee,
            operators=operators,
        ),
    )
    vault = Vault(
        "vault",
        VaultArgs(
            name=names.vault,
            place=place,
            settings=settings.vault,
            exposure=exposure,
            workspace_id=workspace,
            readers=[],
            # It holds a key, and no secrets.
            officers=[],
            secrets={},
        ),
    )
    # Operators too: whoever recovers has to read the copies when nothing else of the environment is left.
    key = WrappingKey("wrapping-key", WrappingKeyArgs(place, vault, [grantee, *operators]))
    backup_vault = BackupVault(
        "backup-vault",
        BackupVaultArgs(
            name=names.backup_vault,
            place=place,
            location=source.settings.location,
            settings=settings.backup,
            workspace_id=workspace,
            accounts={source.names.storage: source.own.storage.id},
            containers=[DEAD_LETTERS],
        ),
    )
    registry = Registry(
        "registry",
        RegistryArgs(
            name=names.registry,
            place=place,
            settings=settings.registry.model_copy(update={"sku": "Premium"}),
            exposure=exposure,
            workspace_id=workspace,
            # Images come by import, which is the registry's own doing: whoever deploys asks for their digest.
            pullers=operators,
            pushers=[],
        ),
    )
    images = ImageCopies(
        "images",
        ImageCopiesArgs(
            registry, source.own.registry.id, source.own.login_server, list(settings.agents), settings.version
        ),
    )
    grant(
        "read-secrets", Role.KEY_VAULT_SECRETS_USER, [grantee], source.own.vault.id, pulumi.ResourceOptions()
    )
    grant(
        "read-dead-letters",
        Role.STORAGE_BLOB_DATA_READER,
        [grantee],
        source.own.storage.child(f"blobServices/default/containers/{DEAD_LETTERS}"),
        pulumi.ResourceOptions(),
    )
    asker = OwnRole(
        "backups-reader",
        OwnRoleArgs(
            title=f"{source.names.resource_group} backups reader",
            description="Asks databases how far back they can be restored, and reads nothing in them.",
            scope=source.own.group_id,
            actions=[_INFORMATION, "Microsoft.Sql/servers/databases/read"],
        ),
    )
    asker.grant("ask-cosmos", [grantee], source.account.id)
    asker.grant("ask-sql", [grantee], source.first_server.id)
    cluster = k8s.Provider("cluster", kubeconfig=source.kubeconfig)
    worker = BackupWorker(
        "worker",
        BackupWorkerArgs(
            namespace=names.namespace,
            image=images.original(next(iter(settings.agents))),
            version=settings.version,
            identity=copier,
            oidc_issuer=source.oidc_issuer,
            originals=Originals(
                vault_uri=source.own.vault_uri,
                dead_letters=source.own.blob_endpoint,
                cosmos_id=source.account.id,
                sql_id=source.first_server.id,
                sql_database=source.database,
                location=source.settings.location,
            ),
            copies=copies.blob_endpoint,
            key_uri=key.uri,
            resource_manager=cloud.resource_manager,
            interval_seconds=settings.backup.interval_minutes * 60,
            reach=reach_of(source.settings.network),
            rights=grantee.rights,
        ),
        pulumi.ResourceOptions(provider=cluster, depends_on=[copies, key]),
    )
    AlertRules(
        "alert-rules",
        AlertRulesArgs(
            name=names.alert_rules,
            place=place,
            workspace_id=source.metrics_id,
            cluster=source.names.cluster,
            cluster_id=source.cluster_id,
            channels={Channel(one): source.action_group_id(one) for one in settings.backup.channels},
            alerts=BACKUP_ALERTS,
            location=source.settings.location,
        ),
    )
    Budget(
        "budget",
        BudgetArgs(
            name=names.budget,
            scope=group.id,
            settings=settings.budget,
            emails=settings.alerts.emails,
            groups=[],
        ),
    )
    Locks("locks", LocksArgs(place, copies.data, after=[worker, backup_vault]))
    return {
        "resourceGroup": group.name,
        "copies": copies.blob_endpoint,
        "vaultUri": vault.uri,
        "wrappingKey": key.uri,
        "registry": registry.login_server,
    }


def _require_another_region(settings: Settings, source: Source) -> None:
    if settings.location == source.settings.location:
        raise SettingsError(
            f"azure-native:location is {settings.location}, where {settings.source} itself is: a backup is "
            "lost with what it is of. Name another region: pulumi config set azure-native:location REGION"
        )
