"""The official client as the judge: azure-mgmt-resource-deployments on the served ARM, with Cosmos DB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, deployments, documentdb, managedidentity, resources
from sandbox.azure.documentdb.engine import QueryEngine
from tests.sandbox.arm.test_sdks import client
from tests.sandbox.azure.deployments.templates import asked, template
from tests.sandbox.served import Served, served

ACCOUNT = {
    "location": "westeurope",
    "kind": "GlobalDocumentDB",
    "properties": {
        "databaseAccountOfferType": "Standard",
        "locations": [{"locationName": "westeurope", "failoverPriority": 0}],
        "disableLocalAuth": True,
    },
}
VERSION = "2024-05-15"
DATABASE = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases"
#: Settings for a database and a container that are there already, as they are after a restore.
SETTINGS = template(
    {
        "type": DATABASE,
        "apiVersion": VERSION,
        "name": "[concat(parameters('account'), '/AgentsDB')]",
        "properties": {"resource": {"id": "AgentsDB"}},
    },
    {
        "type": f"{DATABASE}/containers",
        "apiVersion": VERSION,
        "name": "[format('{0}/AgentsDB/Events', parameters('account'))]",
        "dependsOn": [f"[resourceId('{DATABASE}', parameters('account'), 'AgentsDB')]"],
        "properties": {
            "resource": {
                "id": "Events",
                "partitionKey": {"paths": ["/agent"], "kind": "Hash"},
                "defaultTtl": "[parameters('ttl')]",
            }
        },
    },
    parameters={"account": {"type": "string"}, "ttl": {"type": "int", "defaultValue": 60}},
    outputs={
        "endpoint": {
            "type": "string",
            "value": "[reference(resourceId('Microsoft.DocumentDB/databaseAccounts', parameters('account')), "
            f"'{VERSION}').documentEndpoint]",
        }
    },
)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # Queries, which no test here sends, have a process of their own.
    monkeypatch.setattr(QueryEngine, "start", _nothing)
    modules = [resources, authorization, managedidentity, documentdb, deployments]
    with served(tmp_path, monkeypatch, catalogue(), modules) as found:
        yield found


async def _nothing(*_arguments: object) -> None:
    pass


@pytest.fixture
def account(cloud: Served) -> Any:
    """The Cosmos DB client; account `cosmos` has database and container without settings."""
    client(cloud, ResourceManagementClient).resource_groups.create_or_update("rg", {"location": "westeurope"})
    cosmos = client(cloud, CosmosDBManagementClient)
    cosmos.database_accounts.begin_create_or_update("rg", "cosmos", ACCOUNT).result()
    sql = cosmos.sql_resources
    sql.begin_create_update_sql_database(
        "rg", "cosmos", "AgentsDB", {"properties": {"resource": {"id": "AgentsDB"}}}
    ).result()
    container = {"id": "Events", "partitionKey": {"paths": ["/agent"], "kind": "Hash"}}
    sql.begin_create_update_sql_container(
        "rg", "cosmos", "AgentsDB", "Events", {"properties": {"resource": container}}
    ).result()
    return cosmos


def test_a_deployments_life(cloud: Served, account: Any) -> None:
    manager = client(cloud, DeploymentsMgmtClient)
    body = asked(SETTINGS, account="cosmos", ttl=3600)
    checked = manager.deployments.begin_validate("rg", "main", body).result()
    assert checked.error is None
    assert len(checked.properties.validated_resources) == 2
    assert not manager.deployments.check_existence("rg", "main")
    for _ in range(2):
        made = manager.deployments.begin_create_or_update("rg", "main", body).result()
        assert made.properties.provisioning_state == "Succeeded"
        assert made.properties.outputs["endpoint"]["value"].startswith("https://cosmos.")
        container = account.sql_resources.get_sql_container("rg", "cosmos", "AgentsDB", "Events")
        assert container.properties.resource.default_ttl == 3600
    assert made.properties.duration.startswith("PT")
    assert [one.id.rpartition("/")[2] for one in made.properties.output_resources] == ["AgentsDB", "Events"]
    assert [one.depends_on[0].resource_name for one in made.properties.dependencies] == ["cosmos/AgentsDB"]
    assert manager.deployments.check_existence("rg", "main")
    assert [one.name for one in manager.deployments.list_by_resource_group("rg")] == ["main"]
    operations = list(manager.deployment_operations.list("rg", "main"))
    assert {one.properties.provisioning_state for one in operations} == {"Succeeded"}
    one = manager.deployment_operations.get("rg", "main", operations[0].operation_id)
    assert one.properties.target_resource.resource_name == "cosmos/AgentsDB"
    assert manager.deployments.export_template("rg", "main").template == SETTINGS
    manager.deployments.begin_delete("rg", "main").result()
    with pytest.raises(ResourceNotFoundError):
        manager.deployments.get("rg", "main")
    container = account.sql_resources.get_sql_container("rg", "cosmos", "AgentsDB", "Events")
    assert container.properties.resource.default_ttl == 3600


def test_refusals_and_failures(cloud: Served, account: Any) -> None:
    manager = client(cloud, DeploymentsMgmtClient)
    broken = asked({**SETTINGS, "variables": {"a": "[toLower('A')]"}}, account="cosmos")
    for begin in (manager.deployments.begin_validate, manager.deployments.begin_create_or_update):
        with pytest.raises(HttpResponseError, match="toLower") as refusal:
            begin("rg", "main", broken).result()
        assert refusal.value.status_code == 400
    with pytest.raises(HttpResponseError, match="what-if"):
        manager.deployments.begin_what_if("rg", "main", asked(SETTINGS, account="cosmos")).result()
    with pytest.raises(HttpResponseError, match="DeploymentFailed") as failure:
        manager.deployments.begin_create_or_update("rg", "main", asked(SETTINGS, account="none")).result()
    assert failure.value.error is not None
    assert [one.code for one in failure.value.error.details] == ["ParentResourceNotFound"]
    assert manager.deployments.get("rg", "main").properties.error.code == "DeploymentFailed"
    # The container's partition key cannot change: the provider's own refusal comes through.
    moved = asked(SETTINGS, account="cosmos")
    moved["properties"]["template"] = template(
        {
            **SETTINGS["resources"][1],
            "dependsOn": [],
            "properties": {
                "resource": {"id": "Events", "partitionKey": {"paths": ["/other"], "kind": "Hash"}}
            },
        },
        parameters=SETTINGS["parameters"],
    )
    with pytest.raises(HttpResponseError, match="DeploymentFailed") as failure:
        manager.deployments.begin_create_or_update("rg", "main", moved).result()
    assert failure.value.error is not None
    assert "artition key" in failure.value.error.details[0].message
