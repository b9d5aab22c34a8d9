"""What a restore declares: data as of then beside what there was, and what Azure does not bring along."""

from __future__ import annotations

from typing import Any

import pytest

from infra.azure.cosmos_containers import containers
from infra.settings.sections import CosmosSettings
from tests.infra.azure.components import dev, prod
from tests.infra.azure.declaring import Declarations, declare

FIRST, SECOND = {"as_of": "2026-11-28T09:59:30Z"}, {"as_of": "2026-11-28T11:00:00Z"}
ACCOUNT, DATABASE = "cosmosdb:DatabaseAccount", "sql:Database"


@pytest.fixture(scope="module")
def restored() -> Declarations:
    return declare(prod(restores=[FIRST]).declare)


def _other(found: Declarations, kind: str) -> dict[str, Any]:
    """The inputs of the copy, which is not called like the original."""
    (inputs,) = [one.inputs for one in found.of(kind) if one.name not in {"cosmos", "database"}]
    return inputs


def test_the_original_is_as_it_was(restored: Declarations, in_prod: Declarations) -> None:
    assert {(one.type, one.name) for one in in_prod} <= {(one.type, one.name) for one in restored}
    for before in in_prod:
        (after,) = [one for one in restored if (one.type, one.name) == (before.type, before.name)]
        assert after == before


def test_cosmos_is_restored_to_an_account_of_its_own(restored: Declarations) -> None:
    account = _other(restored, ACCOUNT)
    assert account["accountName"] == "cosmos-agents-prod-20261128095930"
    assert account["createMode"] == "Restore"
    assert account["restoreParameters"]["restoreTimestampInUtc"] == "2026-11-28T09:59:30Z"
    assert account["restoreParameters"]["restoreSource"].endswith(
        "/providers/Microsoft.DocumentDB/locations/westeurope/restorableDatabaseAccounts/instance"
    )
    # Otherwise it would answer the internet until somebody closed it.
    assert account["publicNetworkAccess"] == "Disabled"
    assert [one["locationName"] for one in account["locations"]] == ["westeurope"]


def test_sql_is_restored_to_a_database_beside_the_original(restored: Declarations) -> None:
    database, original = _other(restored, DATABASE), restored.one(DATABASE, "database").inputs
    assert database["databaseName"] == "AgentsDB-20261128095930"
    assert database["createMode"] == "PointInTimeRestore"
    assert database["restorePointInTime"] == "2026-11-28T09:59:30Z"
    assert database["sourceDatabaseId"] == "/Database/database"
    same = ("serverName", "sku", "maxSizeBytes", "zoneRedundant", "requestedBackupStorageRedundancy", "tags")
    assert {name: database[name] for name in same} == {name: original[name] for name in same}


@pytest.mark.parametrize(
    "kind",
    [
        "cosmosdb:SqlResourceSqlRoleDefinition",
        "cosmosdb:SqlResourceSqlRoleAssignment",
        "sql:TransparentDataEncryption",
        "sql:BackupShortTermRetentionPolicy",
        "sql:LongTermRetentionPolicy",
    ],
)
def test_what_a_restore_does_not_bring_is_made_again(
    restored: Declarations, in_prod: Declarations, kind: str
) -> None:
    assert len(restored.of(kind)) == 2 * len(in_prod.of(kind)) > 0


def test_the_copies_are_watched_and_inside_the_network(restored: Declarations, in_prod: Declarations) -> None:
    assert len(restored.of("monitor:DiagnosticSetting")) == len(in_prod.of("monitor:DiagnosticSetting")) + 2
    assert len(restored.of("network:PrivateEndpoint")) == len(in_prod.of("network:PrivateEndpoint")) + 1


def test_todays_settings_are_brought_to_the_restored_containers(restored: Declarations) -> None:
    template = restored.one("resources:Deployment").inputs["properties"]["template"]
    wanted = {one.name: one for one in containers(CosmosSettings())}
    assert len(template["resources"]) == len(wanted)
    for resource in template["resources"]:
        sent = resource["properties"]["resource"]
        declared = restored.one("cosmosdb:SqlResourceSqlContainer", sent["id"].lower()).inputs["resource"]
        assert sent == declared
        assert resource["name"].endswith(f"/AgentsDB/{sent['id']}")


@pytest.mark.parametrize(("kept", "retained"), [(True, True), (False, False)])
def test_a_copy_stays_in_azure_unless_it_is_given_up_first(*, kept: bool, retained: bool) -> None:
    found = declare(prod(restores=[{**FIRST, "kept": kept, "adopted": kept}]).declare)
    for kind in (ACCOUNT, DATABASE):
        (copy,) = [one for one in found.of(kind) if one.name not in {"cosmos", "database"}]
        assert (copy.retain, copy.protect) == (retained, False)
        assert {"createMode"} <= set(copy.ignored)


def test_a_second_copy_comes_when_it_is_asked_for() -> None:
    found = declare(prod(restores=[{**FIRST, "paired": True}]).declare)
    assert len(_other(found, ACCOUNT)["locations"]) == 2
    assert len(found.one("sql:FailoverGroup").inputs["databases"]) == 2


def test_a_restore_can_be_of_a_restore() -> None:
    found = declare(dev(restores=[FIRST, {**SECOND, "of": FIRST["as_of"]}]).declare)
    (second,) = [one for one in found.of(DATABASE) if "110000" in one.name]
    assert second.inputs["sourceDatabaseId"] == "/Database/sql-20261128095930"
    assert len(found.of(ACCOUNT)) == len(found.of(DATABASE)) == 3


def test_services_are_restored_each_for_itself() -> None:
    found = declare(dev(restores=[{**FIRST, "services": ["sql"]}]).declare)
    assert (len(found.of(DATABASE)), len(found.of(ACCOUNT))) == (2, 1)
