"""Servers and databases as Azure SQL's official client sees them: names, administrators, sizes, policies."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from sandbox.config import TENANT_ID
from tests.sandbox.azure.sql.conftest import ADMINISTRATOR, DATABASE, GROUP, SERVER, Sql, group_id


def test_a_server_as_azure_answers_it(server: Sql) -> None:
    found: Any = server.arm.servers.get(GROUP, SERVER)
    assert found.kind == "v12.0"
    properties = found.properties
    assert properties.fully_qualified_domain_name == f"{SERVER}.database.azure.test"
    assert (properties.state, properties.version) == ("Ready", "12.0")
    assert (properties.minimal_tls_version, properties.public_network_access) == ("1.2", "Enabled")
    assert properties.administrator_login.startswith("CloudSA")
    assert properties.administrators.login == ADMINISTRATOR
    assert properties.administrators.azure_ad_only_authentication is True


def test_an_update_keeps_what_it_does_not_say(server: Sql) -> None:
    before: Any = server.arm.servers.get(GROUP, SERVER)
    body = {"location": "westeurope", "tags": {"a": "b"}}
    server.arm.servers.begin_create_or_update(GROUP, SERVER, body, polling_interval=0).result()
    after: Any = server.arm.servers.get(GROUP, SERVER)
    assert after.tags == {"a": "b"}
    assert after.properties.as_dict() == before.properties.as_dict()


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({}, "InvalidParameterValue"),
        ({"administrators": {"login": "a"}}, "InvalidParameterValue"),
        ({"administrators": {"login": "a", "sid": "no guid"}}, "InvalidParameterValue"),
        ({"administrators": {"login": "sa", "sid": TENANT_ID}}, "InvalidLoginName"),
        ({"administrators": {"login": "pg_monitor", "sid": TENANT_ID}}, "InvalidLoginName"),
        (
            {"administrators": {"login": "a", "sid": TENANT_ID, "tenantId": "0" * 8 + TENANT_ID[8:]}},
            "InvalidTenantId",
        ),
        ({"administratorLogin": "admin", "administratorLoginPassword": "Pa55w0rd!!"}, "InvalidLoginName"),
        ({"administratorLogin": "jane"}, "InvalidParameterValue"),
        ({"administratorLogin": "jane", "administratorLoginPassword": "password"}, "PasswordNotComplex"),
        (
            {"administrators": {"login": "a", "sid": TENANT_ID}, "minimalTlsVersion": "1.0"},
            "TlsVersionNotSupported",
        ),
    ],
)
def test_what_is_no_server_is_refused(server: Sql, properties: dict[str, Any], code: str) -> None:
    body = {"location": "westeurope", "properties": properties}
    with pytest.raises(HttpResponseError, match=code):
        server.arm.servers.begin_create_or_update(GROUP, "sql-refused", body).result()
    with pytest.raises(ResourceNotFoundError):
        server.arm.servers.get(GROUP, "sql-refused")


def test_names_are_unique_in_the_cloud(server: Sql) -> None:
    server.groups.resource_groups.create_or_update("rg-other", {"location": "westeurope"})
    body = {"location": "westeurope", "properties": server.administrators()}
    with pytest.raises(HttpResponseError, match="NameAlreadyExists"):
        server.arm.servers.begin_create_or_update("rg-other", SERVER, body).result()
    with pytest.raises(HttpResponseError, match="InvalidResourceName"):
        server.arm.servers.begin_create_or_update(GROUP, "-sql", body).result()

    def check(name: str) -> Any:
        asked = {"name": name, "type": "Microsoft.Sql/servers"}
        return server.arm.servers.check_name_availability(asked)

    assert (check("sql-free").available, check(SERVER).reason, check("Sql_").reason) == (
        True,
        "AlreadyExists",
        "Invalid",
    )


def test_the_administrator_is_a_resource_too(server: Sql) -> None:
    (found,) = server.arm.server_azure_ad_administrators.list_by_server(GROUP, SERVER)
    shown: Any = found.properties
    assert (found.name, shown.login, shown.sid) == ("ActiveDirectory", ADMINISTRATOR, server.administrator)
    only: Any = server.arm.server_azure_ad_only_authentications.get(GROUP, SERVER, "Default")
    assert only.properties.azure_ad_only_authentication is True
    with pytest.raises(HttpResponseError, match="AadOnlyAuthenticationIsEnabled"):
        server.arm.server_azure_ad_administrators.begin_delete(GROUP, SERVER, "ActiveDirectory").result()


def test_without_an_administrator_nobody_administers(server: Sql) -> None:
    only: Any = server.arm.server_azure_ad_only_authentications
    administrators: Any = server.arm.server_azure_ad_administrators
    off = {"properties": {"azureADOnlyAuthentication": False}}
    only.begin_create_or_update(GROUP, SERVER, "Default", off, polling_interval=0).result()
    administrators.begin_delete(GROUP, SERVER, "ActiveDirectory", polling_interval=0).result()
    try:
        assert list(administrators.list_by_server(GROUP, SERVER)) == []
        with pytest.raises(Exception, match="Login failed"):
            server.log_in()
        on = {"properties": {"azureADOnlyAuthentication": True}}
        with pytest.raises(HttpResponseError, match="AadOnlyAuthenticationNeedsAdministrator"):
            only.begin_create_or_update(GROUP, SERVER, "Default", on).result()
    finally:
        server.make_server(SERVER)
    server.log_in().close()


def test_a_database_as_azure_answers_it(server: Sql) -> None:
    found: Any = server.arm.databases.get(GROUP, SERVER, DATABASE)
    assert (found.kind, found.sku.as_dict()) == (
        "v12.0,user,vcore",
        {"name": "GP_Gen5", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
    )
    properties = found.properties
    assert properties.status == "Online"
    assert properties.current_service_objective_name == "GP_Gen5_2"
    assert properties.max_size_bytes == 32 << 30
    assert properties.default_secondary_location == "northeurope"
    assert properties.current_backup_storage_redundancy == "Geo"
    assert properties.database_id
    assert properties.creation_date.tzinfo is not None
    assert {one.name for one in server.arm.databases.list_by_server(GROUP, SERVER)} == {"master", DATABASE}


@pytest.mark.parametrize(
    ("sku", "objective", "kind"),
    [
        ({"name": "GP_S_Gen5_1"}, "GP_S_Gen5_1", "v12.0,user,vcore,serverless"),
        (
            {"name": "GP_S_Gen5", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
            "GP_S_Gen5_2",
            "v12.0,user,vcore,serverless",
        ),
        ({"name": "BC_Gen5", "capacity": 4}, "BC_Gen5_4", "v12.0,user,vcore"),
        ({"name": "S1"}, "S1", "v12.0,user"),
        ({"name": "Standard", "capacity": 50}, "S2", "v12.0,user"),
        ({"name": "Basic"}, "Basic", "v12.0,user"),
        ({"tier": "Premium", "name": "P1"}, "P1", "v12.0,user"),
    ],
)
def test_sizes(server: Sql, sku: dict[str, Any], objective: str, kind: str) -> None:
    name = f"Sized{objective}"
    made = server.make_database(name, sku=sku)
    assert made.properties.current_service_objective_name == objective
    assert made.kind == kind
    # What a GET shows may be sent back, and means the same.
    again = server.make_database(name, sku=made.sku.as_dict())
    assert again.properties.current_service_objective_name == objective


def test_a_patch_that_names_another_size(server: Sql) -> None:
    server.make_database("Patched")
    change = {"sku": {"name": "GP_Gen5_4"}}
    begun = server.arm.databases.begin_update(GROUP, SERVER, "Patched", change, polling_interval=0)
    changed: Any = begun.result()
    assert (changed.sku.capacity, changed.properties.current_service_objective_name) == (4, "GP_Gen5_4")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sku": {"name": "GP_Gen5_3"}}, "InvalidSkuName"),
        ({"sku": {"name": "Huge"}}, "InvalidSkuName"),
        ({"sku": {"name": "S0", "capacity": 20}}, "InvalidSkuName"),
        ({"sku": {"name": "GP_Gen5_2", "tier": "BusinessCritical"}}, "InvalidSkuName"),
        (
            {"sku": {"name": "Basic"}, "properties": {"maxSizeBytes": 5 << 30}},
            "InvalidMaxSizeTierCombination",
        ),
        ({"sku": {"name": "S0"}, "properties": {"zoneRedundant": True}}, "ProvisioningDisabled"),
        ({"properties": {"autoPauseDelay": 60}}, "InvalidServerlessProperty"),
        ({"location": "northeurope"}, "InvalidResourceLocation"),
        ({"properties": {"createMode": "Secondary"}}, "CreateModeNotSupported"),
        (
            {
                "properties": {
                    "createMode": "PointInTimeRestore",
                    "sourceDatabaseId": f"{group_id(GROUP)}/providers/Microsoft.Sql/servers/s/databases/d",
                    "restorePointInTime": "2025-11-11T10:00:00Z",
                }
            },
            "SourceDatabaseNotFound",
        ),
        ({"properties": {"restorePointInTime": "2025-11-11T10:00:00Z"}}, "InvalidCreateMode"),
    ],
)
def test_what_is_no_database_is_refused(server: Sql, body: dict[str, Any], code: str) -> None:
    with pytest.raises(HttpResponseError, match=code):
        server.make_database("Refused", **body)
    with pytest.raises(ResourceNotFoundError):
        server.arm.databases.get(GROUP, SERVER, "Refused")


def test_the_system_database_stays(server: Sql) -> None:
    with pytest.raises(HttpResponseError, match="OperationNotSupportedOnSystemDatabase"):
        server.arm.databases.begin_delete(GROUP, SERVER, "master").result()
    with pytest.raises(HttpResponseError, match="OperationNotSupportedOnSystemDatabase"):
        server.make_database("master")


def test_policies_exist_and_say_no(server: Sql) -> None:
    long: Any = server.arm.long_term_retention_policies
    assert long.get(GROUP, SERVER, DATABASE, "default").properties.weekly_retention == "PT0S"
    wanted = {"weeklyRetention": "P5W", "monthlyRetention": "P12M", "yearlyRetention": "P5Y", "weekOfYear": 1}
    begun = long.begin_create_or_update(
        GROUP, SERVER, DATABASE, "default", {"properties": wanted}, polling_interval=0
    )
    assert begun.result().properties.monthly_retention == "P12M"
    for bad in (
        {"weeklyRetention": "P5D"},
        {"yearlyRetention": "P5Y", "weekOfYear": 53},
        {"yearlyRetention": "P5Y"},
    ):
        with pytest.raises(HttpResponseError, match="LongTermRetentionPolicyInvalid"):
            long.begin_create_or_update(GROUP, SERVER, DATABASE, "default", {"properties": bad}).result()
    short: Any = server.arm.backup_short_term_retention_policies
    for ill in ({"retentionDays": 36}, {"diffBackupIntervalInHours": 6}):
        with pytest.raises(HttpResponseError, match="Invalid"):
            short.begin_create_or_update(GROUP, SERVER, DATABASE, "default", {"properties": ill}).result()
    encryption: Any = server.arm.transparent_data_encryptions.get(GROUP, SERVER, DATABASE, "current")
    assert encryption.properties.state == "Enabled"


def test_auditing_needs_a_target(server: Sql) -> None:
    auditing: Any = server.arm.server_blob_auditing_policies
    assert auditing.get(GROUP, SERVER).properties.state == "Disabled"
    on: dict[str, Any] = {"state": "Enabled"}
    with pytest.raises(HttpResponseError, match="Auditing needs a target"):
        auditing.begin_create_or_update(GROUP, SERVER, {"properties": on}).result()
    on["isAzureMonitorTargetEnabled"] = True
    made = auditing.begin_create_or_update(GROUP, SERVER, {"properties": on}, polling_interval=0).result()
    assert "BATCH_COMPLETED_GROUP" in made.properties.audit_actions_and_groups


@pytest.mark.parametrize("ends", [("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "nowhere"), ("::1", "::2")])
def test_a_firewall_rule_is_a_range(server: Sql, ends: tuple[str, str]) -> None:
    body = {"properties": {"startIpAddress": ends[0], "endIpAddress": ends[1]}}
    with pytest.raises(HttpResponseError, match="InvalidIpAddress"):
        server.arm.firewall_rules.create_or_update(GROUP, SERVER, "bad", body)


def test_a_password_is_not_kept(server: Sql) -> None:
    password = "Canary-7h2k9!x"
    body = {
        "location": "westeurope",
        "properties": {"administratorLogin": "jane", "administratorLoginPassword": password},
    }
    server.arm.servers.begin_create_or_update(GROUP, "sql-jane", body, polling_interval=0).result()
    server.let_azure_in("sql-jane")
    with pytest.raises(Exception, match="must be an access token"):
        server.log_in("jane", password, host="sql-jane", database="master")
    path = f"{group_id(GROUP)}/providers/Microsoft.Sql/servers/sql-jane?api-version=2023-08-01"
    assert password not in server.arm.send_request(HttpRequest("GET", path)).text()
    assert password.encode() not in (server.state / "azure.db").read_bytes()
    server.arm.servers.begin_delete(GROUP, "sql-jane", polling_interval=0).result()
