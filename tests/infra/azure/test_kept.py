"""What holds data is protected where it should be, and restores and tuning are not undone."""

from __future__ import annotations

from tests.infra.azure.components import dev
from tests.infra.azure.declaring import Declarations, declare

_STATEFUL = {
    "azure-native:containerregistry:Registry",
    "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:cosmosdb:SqlResourceSqlContainer",
    "azure-native:cosmosdb:SqlResourceSqlDatabase",
    "azure-native:keyvault:Vault",
    "azure-native:sql:Database",
    "azure-native:sql:Server",
    "azure-native:storage:BlobContainer",
    "azure-native:storage:StorageAccount",
}
#: Kept in every environment, and gone with what they are in: Azure refuses to delete the policy alone, and an
#: agent that leaves the settings must not take what waits for it along.
_GO_WITH_THE_ACCOUNT = {
    "azure-native:storage:BlobContainerImmutabilityPolicy",
    "azure-native:storage:Queue",
}


def test_prod_protects_and_keeps_what_holds_data_and_nothing_else(in_prod: Declarations) -> None:
    assert {one.type for one in in_prod if one.protect} == _STATEFUL
    kept = _STATEFUL | _GO_WITH_THE_ACCOUNT
    # The name of a deleted secret is taken for days, also in dev: see `Vault`.
    assert {one.type for one in in_prod if one.retain} == kept | {"azure-native:keyvault:Secret"}
    assert all(one.protect == (one.type in _STATEFUL) for one in in_prod)


def test_dev_protects_nothing(in_dev: Declarations) -> None:
    assert not [one.name for one in in_dev if one.protect]
    assert {one.type for one in in_dev if one.retain} == _GO_WITH_THE_ACCOUNT


def test_leaving_out_restore_inputs_undoes_no_restore(in_dev: Declarations) -> None:
    assert {"createMode", "restoreParameters"} <= set(in_dev.one("cosmosdb:DatabaseAccount").ignored)
    database = set(in_dev.one("sql:Database").ignored)
    assert {"createMode", "restorePointInTime", "sourceDatabaseId", "recoverableDatabaseId"} <= database


def test_failovers_are_not_undone(in_prod: Declarations) -> None:
    """Which region is written; whether one is spread over zones is still the settings'."""
    ignored = {one for one in in_prod.one("cosmosdb:DatabaseAccount").ignored if one.startswith("locations")}
    assert ignored == {"locations[*].locationName", "locations[*].failoverPriority"}


def test_throughput_tuned_by_hand_stays(in_dev: Declarations) -> None:
    containers = in_dev.of("cosmosdb:SqlResourceSqlContainer")
    assert {one.inputs["containerName"] for one in containers} == {"Events", "Ledger"}
    for container in containers:
        assert container.ignored == ("options",)
        assert container.inputs["options"] == {"autoscaleSettings": {"maxThroughput": 1000}}


def test_containers_index_what_is_queried_and_forget_what_is_old(in_dev: Declarations) -> None:
    found = {
        one.inputs["containerName"]: one.inputs["resource"]
        for one in in_dev.of("cosmosdb:SqlResourceSqlContainer")
    }
    assert {name: resource["partitionKey"]["paths"] for name, resource in found.items()} == {
        "Events": ["/agent"],
        "Ledger": ["/day"],
    }
    assert {name: resource["defaultTtl"] for name, resource in found.items()} == {
        "Events": 90 * 86_400,
        "Ledger": 400 * 86_400,
    }
    for resource in found.values():
        included = [entry["path"] for entry in resource["indexingPolicy"]["includedPaths"]]
        assert f"{resource['partitionKey']['paths'][0]}/?" in included
        assert "/*" not in included
        assert {"path": "/*"} in resource["indexingPolicy"]["excludedPaths"]


def test_backups_go_back_as_far_as_the_settings_say(in_dev: Declarations, in_prod: Declarations) -> None:
    def tier(found: Declarations) -> str:
        policy = found.one("cosmosdb:DatabaseAccount").inputs["backupPolicy"]
        return f"{policy['type']}/{policy['continuousModeProperties']['tier']}"

    assert (tier(in_dev), tier(in_prod)) == ("Continuous/Continuous7Days", "Continuous/Continuous30Days")
    assert in_dev.one("sql:BackupShortTermRetentionPolicy").inputs["retentionDays"] == 7
    assert in_prod.one("sql:BackupShortTermRetentionPolicy").inputs["retentionDays"] == 35
    assert in_dev.of("sql:LongTermRetentionPolicy") == []
    long_term = in_prod.one("sql:LongTermRetentionPolicy").inputs
    assert (long_term["weeklyRetention"], long_term["yearlyRetention"]) == ("P5W", "P5Y")


def test_deleted_blobs_and_dead_letters_stay(in_prod: Declarations) -> None:
    service = in_prod.one("storage:BlobServiceProperties").inputs
    assert service["isVersioningEnabled"] is True
    assert service["changeFeed"]["enabled"] is True
    for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        assert service[policy] == {"enabled": True, "days": 30}
    immutable = in_prod.one("storage:BlobContainerImmutabilityPolicy").inputs
    assert (immutable["containerName"], immutable["immutabilityPeriodSinceCreationInDays"]) == (
        "dead-letters",
        45,
    )


def test_purge_protection_is_asked_for_or_left_alone(in_dev: Declarations, in_prod: Declarations) -> None:
    assert in_prod.one("keyvault:Vault").inputs["properties"]["enablePurgeProtection"] is True
    assert "enablePurgeProtection" not in in_dev.one("keyvault:Vault").inputs["properties"]


def test_names_that_soft_delete_holds_are_recovered(in_dev: Declarations) -> None:
    vault, openai = declare(dev().vault, deleted=True), declare(dev().openai, deleted=True)
    assert vault.one("keyvault:Vault").inputs["properties"]["createMode"] == "recover"
    assert openai.one("cognitiveservices:Account").inputs["properties"]["restore"] is True
    assert "createMode" not in in_dev.one("keyvault:Vault").inputs["properties"]
    assert "restore" not in in_dev.one("cognitiveservices:Account").inputs["properties"]


def test_every_service_sends_its_logs_to_the_workspace(in_prod: Declarations) -> None:
    settings = in_prod.of("monitor:DiagnosticSetting")
    assert {one.inputs["workspaceId"] for one in settings} == {"/workspaces/log"}
    assert {one.inputs["resourceUri"] for one in settings} == {
        "/Account/openai",
        "/Account/openai-backup",
        "/Database/database",
        "/DatabaseAccount/cosmos",
        "/Registry/registry",
        "/Server/sql-backup/databases/master",
        "/Server/sql/databases/master",
        "/StorageAccount/storage/blobServices/default",
        "/StorageAccount/storage/queueServices/default",
        "/Topic/events",
        "/Vault/vault",
    }
