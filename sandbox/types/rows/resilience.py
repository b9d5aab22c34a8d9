"""Backup, chaos and cluster extensions."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import in_group

_VAULT = "Microsoft.DataProtection/backupVaults/{vaultName}"

ROWS = (
    ArmType(
        "Microsoft.DataProtection/backupVaults",
        in_group(_VAULT),
        pulumi="azure-native:dataprotection:BackupVault",
        model="azure.mgmt.dataprotection:BackupVaultResource",
        name=NameRule(
            r"[A-Za-z][A-Za-z0-9-]{1,49}", "2-50 alphanumerics and hyphens, starting with a letter"
        ),
        long_running="azure-async-operation",
        replace_on=("location", "properties.storageSettings"),
    ),
    ArmType(
        "Microsoft.DataProtection/backupVaults/backupPolicies",
        in_group(f"{_VAULT}/backupPolicies/{{backupPolicyName}}"),
        pulumi="azure-native:dataprotection:BackupPolicy",
        model="azure.mgmt.dataprotection:BaseBackupPolicyResource",
    ),
    ArmType(
        "Microsoft.DataProtection/backupVaults/backupInstances",
        in_group(f"{_VAULT}/backupInstances/{{backupInstanceName}}"),
        pulumi="azure-native:dataprotection:BackupInstance",
        model="azure.mgmt.dataprotection:BackupInstanceResource",
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.Chaos/experiments",
        in_group("Microsoft.Chaos/experiments/{experimentName}"),
        pulumi="azure-native:chaos:Experiment",
        model="azure.mgmt.chaos:Experiment",
        required=("properties",),
        name=NameRule(
            r"[A-Za-z0-9][A-Za-z0-9_.()-]{0,127}", "1-128 alphanumerics, underscores, periods and hyphens"
        ),
        long_running="azure-async-operation",
        replace_on=("location",),
    ),
)
