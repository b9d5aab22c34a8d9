"""Azure Backup through its own management client: what is protected, and what is refused."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.dataprotection import DataProtectionMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, dataprotection, managedidentity, resources
from sandbox.config import SUBSCRIPTION_ID
from tests.sandbox.served import Served, client, served

GROUP = "rg-backup"
BASE = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{GROUP}/providers"
BACKUP_CONTRIBUTOR = "e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1"
_STORAGE = "2023-05-01"
VAULT = {
    "location": "westeurope",
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "storageSettings": [{"datastoreType": "VaultStore", "type": "GeoRedundant"}],
        "securitySettings": {
            "softDeleteSettings": {"state": "On", "retentionDurationInDays": 14},
            "immutabilitySettings": {"state": "Unlocked"},
        },
    },
}
_STORE = {"dataStoreType": "VaultStore", "objectType": "DataStoreInfoBase"}
POLICY = {
    "properties": {
        "objectType": "BackupPolicy",
        "datasourceTypes": ["Microsoft.Storage/storageAccounts/blobServices"],
        "policyRules": [
            {
                "objectType": "AzureRetentionRule",
                "name": "Default",
                "isDefault": True,
                "lifecycles": [
                    {
                        "sourceDataStore": _STORE,
                        "deleteAfter": {"objectType": "AbsoluteDeleteOption", "duration": "P35D"},
                    }
                ],
            }
        ],
    }
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    modules = [resources, authorization, managedidentity, dataprotection]
    with (
        pytest.MonkeyPatch.context() as patch,
        served(tmp_path_factory.mktemp("backup"), patch, catalogue(), modules) as found,
    ):
        arm = client(found, ResourceManagementClient)
        arm.resource_groups.create_or_update(GROUP, {"location": "northeurope"})
        for region, account in (("westeurope", "stsource"), ("northeurope", "stelsewhere")):
            path = f"{BASE}/Microsoft.Storage/storageAccounts/{account}"
            body = {"location": region, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
            arm.resources.begin_create_or_update_by_id(path, body, api_version=_STORAGE).result()
            container = f"{path}/blobServices/default/containers/dead-letters"
            arm.resources.begin_create_or_update_by_id(container, {}, api_version=_STORAGE).result()
        yield found


@pytest.fixture
def backup(cloud: Served) -> DataProtectionMgmtClient:
    found: DataProtectionMgmtClient = client(cloud, DataProtectionMgmtClient)
    return found


def _vault(backup: DataProtectionMgmtClient, name: str, **changes: Any) -> Any:
    body = {**copy.deepcopy(VAULT), **changes}
    made = backup.backup_vaults.begin_create_or_update(GROUP, name, body).result()
    backup.backup_policies.create_or_update(GROUP, name, "blobs", POLICY)
    return made


def _allow(cloud: Served, vault: Any, account: str = "stsource") -> None:
    client(cloud, AuthorizationManagementClient).role_assignments.create(
        f"{BASE}/Microsoft.Storage/storageAccounts/{account}",
        str(uuid.uuid4()),
        {
            "principalId": vault.identity.principal_id,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization"
            f"/roleDefinitions/{BACKUP_CONTRIBUTOR}",
        },
    )


def _instance(vault: str, account: str = "stsource", **changes: Any) -> dict[str, Any]:
    identity = f"{BASE}/Microsoft.Storage/storageAccounts/{account}"
    source = {
        "objectType": "Datasource",
        "resourceID": identity,
        "resourceName": account,
        "resourceType": "Microsoft.Storage/storageAccounts",
        "resourceLocation": "westeurope",
        "datasourceType": "Microsoft.Storage/storageAccounts/blobServices",
        **changes,
    }
    containers = {"objectType": "BlobBackupDatasourceParameters", "containersList": ["dead-letters"]}
    return {
        "properties": {
            "objectType": "BackupInstance",
            "dataSourceInfo": source,
            "policyInfo": {
                "policyId": f"{BASE}/Microsoft.DataProtection/backupVaults/{vault}/backupPolicies/blobs",
                "policyParameters": {"backupDatasourceParametersList": [containers]},
            },
        }
    }


def _protect(backup: DataProtectionMgmtClient, vault: str, body: dict[str, Any]) -> Any:
    return backup.backup_instances.begin_create_or_update(GROUP, vault, "stsource", body).result()


def test_an_account_is_protected_once_the_vault_may(cloud: Served, backup: DataProtectionMgmtClient) -> None:
    vault = _vault(backup, "bv-protects")
    with pytest.raises(HttpResponseError, match="UserErrorMissingRequiredPermissions"):
        _protect(backup, "bv-protects", _instance("bv-protects"))
    failed = backup.backup_instances.get(GROUP, "bv-protects", "stsource")
    assert failed.properties.current_protection_state == "ProtectionError"
    _allow(cloud, vault)
    made = _protect(backup, "bv-protects", _instance("bv-protects"))
    assert made.properties.current_protection_state == "ProtectionConfigured"
    assert made.properties.protection_status.status == "ProtectionConfigured"
    assert [one.name for one in backup.backup_instances.list(GROUP, "bv-protects")] == ["stsource"]


def test_a_vault_that_protects_is_not_deleted(cloud: Served, backup: DataProtectionMgmtClient) -> None:
    _allow(cloud, _vault(backup, "bv-deleted"))
    _protect(backup, "bv-deleted", _instance("bv-deleted"))
    with pytest.raises(HttpResponseError) as refused:
        backup.backup_vaults.begin_delete(GROUP, "bv-deleted").result()
    assert refused.value.status_code == 409
    with pytest.raises(HttpResponseError, match="BMSUserErrorPolicyInUse"):
        backup.backup_policies.delete(GROUP, "bv-deleted", "blobs")
    backup.backup_instances.begin_delete(GROUP, "bv-deleted", "stsource").result()
    backup.backup_vaults.begin_delete(GROUP, "bv-deleted").result()
    with pytest.raises(ResourceNotFoundError):
        backup.backup_vaults.get(GROUP, "bv-deleted")


@pytest.mark.parametrize(
    ("account", "changes", "code"),
    [
        ("stnone", {}, "BMSUserErrorDatasourceNotFound"),
        ("stelsewhere", {}, "BMSUserErrorDatasourceRegionMismatch"),
        (
            "stsource",
            {"datasourceType": "Microsoft.Compute/disks"},
            "BMSUserErrorDatasourceTypeNotSupported",
        ),
    ],
    ids=["no account", "another region", "another type"],
)
def test_what_cannot_be_protected_is_refused(
    backup: DataProtectionMgmtClient, account: str, changes: dict[str, str], code: str
) -> None:
    _vault(backup, "bv-refuses")
    with pytest.raises(HttpResponseError, match=code):
        _protect(backup, "bv-refuses", _instance("bv-refuses", account, **changes))


def test_containers_and_policy_have_to_exist(backup: DataProtectionMgmtClient) -> None:
    _vault(backup, "bv-names")
    body = _instance("bv-names")
    parameters = body["properties"]["policyInfo"]["policyParameters"]["backupDatasourceParametersList"]
    parameters[0]["containersList"] = ["none"]
    with pytest.raises(HttpResponseError, match="BMSUserErrorContainerNotFound"):
        _protect(backup, "bv-names", body)
    body = _instance("bv-names")
    body["properties"]["policyInfo"]["policyId"] += "2"
    with pytest.raises(HttpResponseError, match="BMSUserErrorPolicyNotFound"):
        _protect(backup, "bv-names", body)


def test_a_policy_needs_a_default_retention(backup: DataProtectionMgmtClient) -> None:
    _vault(backup, "bv-policy")
    body: Any = copy.deepcopy(POLICY)
    body["properties"]["policyRules"][0]["isDefault"] = False
    with pytest.raises(HttpResponseError, match="BMSUserErrorInvalidPolicy"):
        backup.backup_policies.create_or_update(GROUP, "bv-policy", "other", body)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (
            {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 7}},
            "UserErrorInvalidSoftDeleteRetention",
        ),
        ({"immutabilitySettings": {"state": "Unlocked"}}, "UserErrorImmutabilityStateLocked"),
    ],
    ids=["short soft delete", "unlocking"],
)
def test_a_vaults_security_is_not_weakened(
    backup: DataProtectionMgmtClient, settings: dict[str, Any], code: str
) -> None:
    locked: Any = copy.deepcopy(VAULT)
    locked["properties"]["securitySettings"]["immutabilitySettings"]["state"] = "Locked"
    _vault(backup, "bv-locked", properties=locked["properties"])
    locked["properties"]["securitySettings"] |= settings
    with pytest.raises(HttpResponseError, match=code):
        _vault(backup, "bv-locked", properties=locked["properties"])
