"""What a paired region and availability zones add, and what they cost nothing without."""

from __future__ import annotations

import pytest

from infra.azure.sql_database import sku
from tests.infra.azure.components import dev, prod
from tests.infra.azure.declaring import Declarations, declare


def test_one_region_has_one_of_everything(in_dev: Declarations) -> None:
    assert in_dev.of("containerregistry:Replication") == []
    assert in_dev.of("sql:FailoverGroup") == []
    assert len(in_dev.of("sql:Server")) == len(in_dev.of("cognitiveservices:Account")) == 1
    assert len(in_dev.one("cosmosdb:DatabaseAccount").inputs["locations"]) == 1
    assert in_dev.one("storage:StorageAccount").inputs["sku"] == {"name": "Standard_LRS"}
    database = in_dev.one("sql:Database").inputs
    assert (database["requestedBackupStorageRedundancy"], database["zoneRedundant"]) == ("Local", False)


def test_the_registry_is_replicated_over_zones_and_to_the_paired_region(in_prod: Declarations) -> None:
    registry, replica = (
        in_prod.one("containerregistry:Registry").inputs,
        in_prod.one("containerregistry:Replication").inputs,
    )
    assert (registry["location"], registry["zoneRedundancy"]) == ("westeurope", "Enabled")
    assert (replica["location"], replica["zoneRedundancy"]) == ("northeurope", "Enabled")


def test_a_basic_registry_asks_for_nothing_of_premium(in_dev: Declarations) -> None:
    registry = in_dev.one("containerregistry:Registry").inputs
    assert not {"networkRuleSet", "policies"} & set(registry)
    assert (registry["publicNetworkAccess"], registry["zoneRedundancy"]) == ("Enabled", "Disabled")


def test_cosmos_lives_in_both_regions_and_moves_by_itself(in_prod: Declarations) -> None:
    account = in_prod.one("cosmosdb:DatabaseAccount").inputs
    assert account["locations"] == [
        {"locationName": "westeurope", "failoverPriority": 0, "isZoneRedundant": True},
        {"locationName": "northeurope", "failoverPriority": 1, "isZoneRedundant": True},
    ]
    assert account["enableAutomaticFailover"] is True


def test_adding_a_region_changes_nothing_else_of_the_cosmos_account() -> None:
    """Azure refuses both in one request."""
    one, two = declare(dev().cosmos), declare(prod(cosmos={}).cosmos)
    before, after = (found.one("cosmosdb:DatabaseAccount").inputs | {"tags": None} for found in (one, two))
    # The other differences of the two environments.
    for inputs in (before, after):
        for name in ("locations", "publicNetworkAccess", "accountName"):
            inputs.pop(name)
    assert before == after


def test_sql_has_a_failover_group_with_a_server_in_the_paired_region(in_prod: Declarations) -> None:
    backup = in_prod.one("sql:Server", "sql-backup").inputs
    assert (backup["serverName"], backup["location"]) == ("sql-agents-prod-backup", "northeurope")
    group = in_prod.one("sql:FailoverGroup").inputs
    assert group["failoverGroupName"] == "fog-agents-prod"
    assert group["partnerServers"] == [{"id": "/Server/sql-backup"}]
    assert group["databases"] == ["/Database/database"]
    assert group["readWriteEndpoint"]["failoverPolicy"] == "Manual"
    database = in_prod.one("sql:Database").inputs
    assert (database["requestedBackupStorageRedundancy"], database["zoneRedundant"]) == ("GeoZone", True)


def test_both_sql_servers_are_audited(in_prod: Declarations) -> None:
    audited = {policy.inputs["serverName"] for policy in in_prod.of("sql:ServerBlobAuditingPolicy")}
    assert audited == {server.name for server in in_prod.of("sql:Server")} == {"sql", "sql-backup"}
    targets = {one.inputs["resourceUri"] for one in in_prod.of("monitor:DiagnosticSetting")}
    assert {"/Server/sql/databases/master", "/Server/sql-backup/databases/master"} <= targets


def test_storage_is_copied_over_zones_and_to_another_region(in_prod: Declarations) -> None:
    assert in_prod.one("storage:StorageAccount").inputs["sku"] == {"name": "Standard_GZRS"}


def test_the_backup_model_differs_by_its_endpoint_only(in_prod: Declarations) -> None:
    backup = in_prod.one("cognitiveservices:Account", "openai-backup").inputs
    assert (backup["accountName"], backup["location"]) == ("oai-agents-prod-backup", "northeurope")
    one, other = in_prod.of("cognitiveservices:Deployment")
    assert one.inputs["accountName"] != other.inputs["accountName"]
    assert {**one.inputs, "accountName": ""} == {
        **other.inputs,
        "accountName": "",
        "properties": one.inputs["properties"],
    }
    assert one.inputs["deploymentName"] == "gpt-5.4-mini"


@pytest.mark.parametrize(
    ("settings", "minutes"),
    [({}, 60), ({"long_term": {}}, -1)],
)
def test_a_serverless_database_pauses_unless_something_keeps_it_awake(
    settings: dict[str, object], minutes: int
) -> None:
    found = declare(dev(sql={"sku": "GP_S_Gen5_1", **settings}).sql)
    assert found.one("sql:Database").inputs["autoPauseDelay"] == minutes


def test_a_provisioned_database_has_no_pause(in_prod: Declarations) -> None:
    assert not {"autoPauseDelay", "minCapacity"} & set(in_prod.one("sql:Database").inputs)


@pytest.mark.parametrize(
    ("code", "name", "tier", "capacity"),
    [
        ("GP_S_Gen5_2", "GP_S_Gen5", "GeneralPurpose", 2),
        ("GP_Gen5_4", "GP_Gen5", "GeneralPurpose", 4),
        ("BC_Gen5_4", "BC_Gen5", "BusinessCritical", 4),
    ],
)
def test_a_size_is_sent_as_azure_answers_it(code: str, name: str, tier: str, capacity: int) -> None:
    made = sku(code)
    assert (made.name, made.tier, made.family, made.capacity) == (name, tier, "Gen5", capacity)
