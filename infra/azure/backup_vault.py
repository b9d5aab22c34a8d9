"""Azure Backup: a vault, and in it daily backups of the source's dead letters.

The vault has to be in the region of what it backs up; its storage is in two.
https://learn.microsoft.com/azure/backup/blob-backup-support-matrix
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import dataprotection

from infra.azure.diagnostics import diagnose
from infra.azure.place import Place
from infra.azure.roles import Grantee, Role, grant
from infra.settings.backup import BackupSettings

_BLOBS, _ACCOUNT = "Microsoft.Storage/storageAccounts/blobServices", "Microsoft.Storage/storageAccounts"
# Daily at an hour at which little happens; the date says only since when.
_DAILY = "R/2026-01-01T02:00:00+00:00/P1D"
_VAULT_STORE = dataprotection.DataStoreTypes.VAULT_STORE


@dataclass(frozen=True)
class BackupVaultArgs:
    """`accounts`: storage accounts that are backed up, by name their id, and which of their `containers`.

    `location` is theirs.
    """

    name: str
    place: Place
    location: str
    settings: BackupSettings
    workspace_id: pulumi.Input[str]
    accounts: Mapping[str, pulumi.Input[str]]
    containers: Sequence[str]


class BackupVault(pulumi.ComponentResource):
    """Backups in it cannot be deleted before their time, and deleted ones can be had back for a while."""

    def __init__(self, name: str, args: BackupVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:BackupVault", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.resource = self._vault(name)
        policy = self._policy()
        identity = self.resource.identity.apply(lambda found: str(found.principal_id if found else ""))
        for account, scope in args.accounts.items():
            rights = grant(
                f"back-up-{account}",
                Role.STORAGE_ACCOUNT_BACKUP_CONTRIBUTOR,
                [Grantee(name, identity)],
                scope,
                child,
            )
            self._instance(account, scope, policy.id, rights)
        diagnose(name, self.resource.id, args.workspace_id, child, logs=("allLogs",))
        self.register_outputs({})

    def _vault(self, name: str) -> dataprotection.BackupVault:
        args, days = self._args, self._args.settings.soft_delete_days
        return dataprotection.BackupVault(
            name,
            vault_name=args.name,
            resource_group_name=args.place.resource_group,
            location=args.location,
            identity=dataprotection.DppIdentityDetailsArgs(type="SystemAssigned"),
            properties=dataprotection.BackupVaultArgs(
                storage_settings=[
                    dataprotection.StorageSettingArgs(
                        datastore_type=dataprotection.StorageSettingStoreTypes.VAULT_STORE,
                        type=dataprotection.StorageSettingTypes.GEO_REDUNDANT,
                    )
                ],
                security_settings=dataprotection.SecuritySettingsArgs(
                    # Not locked, for the reason that no container's policy is.
                    immutability_settings=dataprotection.ImmutabilitySettingsArgs(
                        state=dataprotection.ImmutabilityState.UNLOCKED
                    ),
                    soft_delete_settings=dataprotection.SoftDeleteSettingsArgs(
                        state=dataprotection.SoftDeleteState.ON, retention_duration_in_days=days
                    ),
                ),
            ),
            tags=args.place.tags,
            opts=args.place.stateful(self),
        )

    def _policy(self) -> dataprotection.BackupPolicy:
        args = self._args
        store = dataprotection.DataStoreInfoBaseArgs(
            data_store_type=_VAULT_STORE, object_type="DataStoreInfoBase"
        )
        return dataprotection.BackupPolicy(
            "blobs",
            backup_policy_name="blobs",
            vault_name=self.resource.name,
            resource_group_name=args.place.resource_group,
            properties=dataprotection.BackupPolicyArgs(
                object_type="BackupPolicy",
                datasource_types=[_BLOBS],
                policy_rules=[
                    dataprotection.AzureBackupRuleArgs(
                        name="BackupDaily",
                        object_type="AzureBackupRule",
                        data_store=store,
                        backup_parameters=dataprotection.AzureBackupParamsArgs(
                            object_type="AzureBackupParams", backup_type="Discrete"
                        ),
                        trigger=dataprotection.ScheduleBasedTriggerContextArgs(
                            object_type="ScheduleBasedTriggerContext",
                            schedule=dataprotection.BackupScheduleArgs(
                                repeating_time_intervals=[_DAILY], time_zone="UTC"
                            ),
                            tagging_criteria=[
                                dataprotection.TaggingCriteriaArgs(
                                    is_default=True,
                                    tagging_priority=99,
                                    tag_info=dataprotection.RetentionTagArgs(tag_name="Default"),
                                )
                            ],
                        ),
                    ),
                    dataprotection.AzureRetentionRuleArgs(
                        name="Default",
                        object_type="AzureRetentionRule",
                        is_default=True,
                        lifecycles=[
                            dataprotection.SourceLifeCycleArgs(
                                source_data_store=store,
                                delete_after=dataprotection.AbsoluteDeleteOptionArgs(
                                    object_type="AbsoluteDeleteOption",
                                    duration=f"P{args.settings.retention_days}D",
                                ),
                            )
                        ],
                    ),
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _instance(
        self,
        account: str,
        scope: pulumi.Input[str],
        policy_id: pulumi.Input[str],
        rights: Sequence[pulumi.Resource],
    ) -> None:
        args = self._args
        source: dict[str, Any] = {
            "resource_id": scope,
            "resource_uri": scope,
            "resource_name": account,
            "resource_type": _ACCOUNT,
            "resource_location": args.location,
            "datasource_type": _BLOBS,
        }
        dataprotection.BackupInstance(
            account,
            backup_instance_name=account,
            vault_name=self.resource.name,
            resource_group_name=args.place.resource_group,
            properties=dataprotection.BackupInstanceArgs(
                object_type="BackupInstance",
                friendly_name=account,
                data_source_info=dataprotection.DatasourceArgs(object_type="Datasource", **source),
                data_source_set_info=dataprotection.DatasourceSetArgs(object_type="DatasourceSet", **source),
                policy_info=dataprotection.PolicyInfoArgs(
                    policy_id=policy_id,
                    policy_parameters=dataprotection.PolicyParametersArgs(
                        backup_datasource_parameters_list=[
                            dataprotection.BlobBackupDatasourceParametersArgs(
                                object_type="BlobBackupDatasourceParameters",
                                containers_list=list(args.containers),
                            )
                        ]
                    ),
                ),
            ),
            # Without its role the vault cannot protect anything: Azure would refuse the instance.
            opts=args.place.stateful(self, depends_on=rights),
        )
