"""Azure Backup's vaults, as far as protecting blobs goes: vaults, policies and what is protected under them.

An instance is protected once the vault's identity may read and replicate its account, as on Azure; without
that role it fails and says so. No backup is run and none restored: that Azure does daily by itself.
https://learn.microsoft.com/rest/api/dataprotection and
https://learn.microsoft.com/azure/backup/blob-backup-support-matrix
"""

from __future__ import annotations

import copy
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import parent
from sandbox.arm.regions import normalise
from sandbox.arm.resource import Body, Resource

VAULT = "Microsoft.DataProtection/backupVaults"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
_ACCOUNT = "Microsoft.Storage/storageAccounts"
#: What stands for the role that Azure asks for, Storage Account Backup Contributor.
_RIGHT = "Microsoft.Storage/storageAccounts/objectReplicationPolicies/write"


class BackupVaultHandler(Handler):
    type = VAULT
    long_running = True

    async def check(self, put: Put) -> None:
        soft_delete = _at(put.body, "properties", "securitySettings", "softDeleteSettings")
        days = soft_delete.get("retentionDurationInDays", 14)
        if soft_delete.get("state") in ("On", "AlwaysOn") and not 14 <= days <= 180:
            raise bad_request(
                "UserErrorInvalidSoftDeleteRetention",
                f"The soft delete retention of a backup vault is 14 to 180 days, not {days}.",
                "properties.securitySettings.softDeleteSettings.retentionDurationInDays",
            )
        before = _at(put.previous.body if put.previous else {}, "properties", "securitySettings")
        if _at(before, "immutabilitySettings").get("state") == "Locked" and (
            _at(put.body, "properties", "securitySettings", "immutabilitySettings").get("state") != "Locked"
        ):
            raise bad_request(
                "UserErrorImmutabilityStateLocked",
                f"The immutability of the vault '{put.id.name}' is locked and cannot be taken back.",
                "properties.securitySettings.immutabilitySettings.state",
            )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        sent = body.setdefault("properties", {})
        security = sent.setdefault("securitySettings", {})
        security.setdefault("immutabilitySettings", {"state": "Disabled"})
        security.setdefault("softDeleteSettings", {"state": "On", "retentionDurationInDays": 14})
        sent.setdefault(
            "monitoringSettings", {"azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"}}
        )
        sent.update(isVaultProtectedByResourceGuard=False, secureScore="Adequate")
        return body

    async def check_delete(self, resource: Resource) -> None:
        instances = self.services.store.list(type=f"{VAULT}/backupInstances", under=str(resource.id))
        if instances:
            names = ", ".join(sorted(one.id.name for one in instances))
            raise ArmError(
                409,
                "BMSUserErrorVaultContainsBackupInstances",
                f"The vault '{resource.id.name}' protects {names}; stop that first.",
            )


class BackupPolicyHandler(Handler):
    type = f"{VAULT}/backupPolicies"
    #: Its client takes no other.
    created_status = 200

    async def check(self, put: Put) -> None:
        rules = _at(put.body, "properties").get("policyRules") or []
        retention = [rule for rule in rules if rule.get("objectType") == "AzureRetentionRule"]
        if not any(rule.get("isDefault") for rule in retention):
            raise bad_request(
                "BMSUserErrorInvalidPolicy",
                f"The policy '{put.id.name}' needs a retention rule that is the default.",
                "properties.policyRules",
            )

    async def check_delete(self, resource: Resource) -> None:
        vault = parent(resource.id)
        for one in self.services.store.list(type=f"{VAULT}/backupInstances", under=str(vault)):
            if str(_at(one.body, "properties", "policyInfo").get("policyId")).lower() == resource.id.key:
                raise ArmError(
                    409,
                    "BMSUserErrorPolicyInUse",
                    f"The policy '{resource.id.name}' protects '{one.id.name}'.",
                )


class BackupInstanceHandler(Handler):
    type = f"{VAULT}/backupInstances"
    long_running = True

    def homes(self, resource: Resource) -> frozenset[str]:
        """Where its vault is."""
        del resource
        return frozenset()

    async def check(self, put: Put) -> None:
        properties = _at(put.body, "properties")
        source, vault = _at(properties, "dataSourceInfo"), self._vault(put.id)
        if source.get("datasourceType") != _BLOBS:
            raise bad_request(
                "BMSUserErrorDatasourceTypeNotSupported",
                f"The sandbox protects {_BLOBS}, not {source.get('datasourceType')}.",
                "properties.dataSourceInfo.datasourceType",
            )
        policy = str(_at(properties, "policyInfo").get("policyId"))
        if self.services.store.get(policy) is None or not policy.lower().startswith(f"{vault.id.key}/"):
            raise bad_request(
                "BMSUserErrorPolicyNotFound",
                f"There is no policy '{policy}' in the vault '{vault.id.name}'.",
                "properties.policyInfo.policyId",
            )
        account = self.services.store.get(str(source.get("resourceID")))
        if account is None or account.id.type.lower() != _ACCOUNT.lower():
            raise bad_request(
                "BMSUserErrorDatasourceNotFound",
                f"There is no storage account '{source.get('resourceID')}'.",
                "properties.dataSourceInfo.resourceID",
            )
        if normalise(account.location or "") != normalise(vault.location or ""):
            raise bad_request(
                "BMSUserErrorDatasourceRegionMismatch",
                f"The vault '{vault.id.name}' is in {vault.location}, and '{account.id.name}' in "
                f"{account.location}: blobs are backed up in their own region.",
                "properties.dataSourceInfo.resourceLocation",
            )
        self._check_containers(account, properties)

    def _check_containers(self, account: Resource, properties: Body) -> None:
        parameters = _at(properties, "policyInfo", "policyParameters")
        for one in parameters.get("backupDatasourceParametersList") or []:
            for name in one.get("containersList") or []:
                path = f"{account.id}/blobServices/default/containers/{name}"
                if self.services.store.get(path) is None:
                    raise bad_request(
                        "BMSUserErrorContainerNotFound",
                        f"The account '{account.id.name}' has no container '{name}'.",
                        "properties.policyInfo.policyParameters.backupDatasourceParametersList",
                    )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        body["properties"].update(
            currentProtectionState="ConfiguringProtection",
            protectionStatus={"status": "ConfiguringProtection"},
        )
        return body

    async def provision(self, resource: Resource) -> None:
        account = str(_at(resource.properties, "dataSourceInfo").get("resourceID"))
        identity = _at(self._vault(resource.id).body, "identity").get("principalId")
        allowed = identity is not None and self.services.rbac.allows(str(identity), _RIGHT, account)
        state = "ProtectionConfigured" if allowed else "ProtectionError"
        resource.properties.update(currentProtectionState=state, protectionStatus={"status": state})
        if not allowed:
            raise ArmError(
                403,
                "UserErrorMissingRequiredPermissions",
                f"Appropriate permissions to back up '{account}' are missing: assign the role Storage "
                "Account Backup Contributor on it to the vault's identity.",
            )

    def _vault(self, id: Any) -> Resource:  # noqa: A002
        above = parent(id)
        vault = self.services.store.get(above) if above is not None else None
        if vault is None:
            raise ArmError(404, "ResourceNotFound", f"There is no vault '{above}'.")
        return vault


HANDLERS = (BackupVaultHandler, BackupPolicyHandler, BackupInstanceHandler)


def _at(body: Any, *path: str) -> Body:
    """The object at that path, an empty one where there is none."""
    for part in path:
        body = body.get(part) or {}
    found: Body = body
    return found
