"""Data collection, Azure Monitor workspaces, managed Grafana."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.azure.insights.conftest import ACCOUNT, GROUPS, VERSIONS, WORKSPACE, Arm
from tests.sandbox.clouds import SUBSCRIPTION

pytestmark = pytest.mark.asyncio(loop_scope="module")
INSIGHTS = f"{GROUPS}/Microsoft.Insights"
ENDPOINT, RULE = f"{INSIGHTS}/dataCollectionEndpoints/dce", f"{INSIGHTS}/dataCollectionRules/dcr"
GRAFANA = f"{GROUPS}/Microsoft.Dashboard/grafana/graf-agents"
STREAM = "Microsoft-PrometheusMetrics"


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "dataSources": {"prometheusForwarder": [{"name": "p", "streams": [STREAM]}]},
        "destinations": {
            "monitoringAccounts": [{"name": "metrics", "accountResourceId": ACCOUNT}],
            "logAnalytics": [{"name": "logs", "workspaceResourceId": WORKSPACE}],
        },
        "dataFlows": [{"streams": [STREAM], "destinations": ["metrics"]}],
        **changes,
    }


async def test_a_workspace_for_metrics_brings_its_endpoint_and_rule(arm: Arm) -> None:
    account = f"{GROUPS}/Microsoft.Monitor/accounts/amw-other"
    await arm.put(account)
    properties = (await arm.get(account))["properties"]
    assert properties["metrics"]["prometheusQueryEndpoint"].startswith("https://amw-other-")
    assert properties["metrics"]["prometheusQueryEndpoint"].endswith(
        ".westeurope.prometheus.monitor.azure.test"
    )
    settings = properties["defaultIngestionSettings"]
    endpoint = await arm.get(settings["dataCollectionEndpointResourceId"])
    assert endpoint["properties"]["metricsIngestion"]["endpoint"].startswith("https://")
    own = await arm.get(settings["dataCollectionRuleResourceId"])
    (destination,) = own["properties"]["destinations"]["monitoringAccounts"]
    assert destination["accountId"] == properties["accountId"]
    group = await arm.get(f"{SUBSCRIPTION}/resourceGroups/MA_amw-other_westeurope_managed")
    assert group["managedBy"] == account
    assert (await arm.client.ask("DELETE", account, **VERSIONS)).status_code == 200
    for gone in (group["id"], own["id"], account):
        assert (await arm.client.ask("GET", gone, **VERSIONS)).status_code == 404


async def test_rules_and_their_associations(arm: Arm, account: str, workspace: str, vault: str) -> None:
    endpoint = (await arm.put(ENDPOINT, {}, kind="Linux"))["properties"]
    assert endpoint["networkAcls"]["publicNetworkAccess"] == "Enabled"
    made = (await arm.put(RULE, rule(dataCollectionEndpointId=ENDPOINT), kind="Linux"))["properties"]
    assert made["immutableId"].startswith("dcr-")
    assert made["destinations"]["logAnalytics"][0]["workspaceId"]
    again = (await arm.put(RULE, rule(description="new"), kind="Linux"))["properties"]
    assert again["immutableId"] == made["immutableId"]
    kind = "providers/Microsoft.Insights/dataCollectionRuleAssociations"
    await arm.put(f"{vault}/{kind}/metrics", {"dataCollectionRuleId": RULE})
    await arm.put(f"{vault}/{kind}/configurationAccessEndpoint", {"dataCollectionEndpointId": ENDPOINT})
    for used in (RULE, ENDPOINT):
        refused = await arm.client.refused("DELETE", used, **VERSIONS)
        assert refused == (409, "Conflict")
    refusals = [
        await arm.refused(f"{vault}/{kind}/other", {"dataCollectionEndpointId": ENDPOINT}),
        await arm.refused(f"{vault}/{kind}/other", {}),
        await arm.refused(f"{vault}/{kind}/other", {"dataCollectionRuleId": f"{RULE}x"}),
    ]
    assert refusals == [(400, "name"), (400, "properties"), (400, "properties.dataCollectionRuleId")]


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        (
            {"dataFlows": [{"streams": [STREAM], "destinations": ["x"]}]},
            "properties.dataFlows[0].destinations",
        ),
        ({"dataFlows": [{"destinations": ["logs"]}]}, "properties.dataFlows[0].streams"),
        ({"dataCollectionEndpointId": f"{ENDPOINT}x"}, "properties.dataCollectionEndpointId"),
        (
            {"destinations": {"logAnalytics": [{"name": "metrics", "workspaceResourceId": ACCOUNT}]}},
            "properties.destinations.logAnalytics[0].workspaceResourceId",
        ),
    ],
)
async def test_bad_rules_are_refused(
    arm: Arm, account: str, workspace: str, changes: dict[str, Any], target: str
) -> None:
    assert await arm.refused(RULE, rule(**changes)) == (400, target)


async def test_managed_grafana(arm: Arm, account: str) -> None:
    integration = {"azureMonitorWorkspaceIntegrations": [{"azureMonitorWorkspaceResourceId": account}]}
    sku = {"name": "Standard"}
    await arm.put(GRAFANA, {"grafanaIntegrations": integration}, sku=sku)
    properties = (await arm.get(GRAFANA))["properties"]
    assert properties["endpoint"].endswith(".westeurope.grafana.azure.test")
    assert (properties["apiKey"], properties["grafanaMajorVersion"]) == ("Disabled", "11")
    path = f"{GRAFANA}-2"
    assert await arm.refused(path, {}, sku={"name": "Gold"}) == (400, "sku.name")
    old = {"grafanaMajorVersion": "8"}
    assert await arm.refused(path, old, sku=sku) == (400, "properties.grafanaMajorVersion")
    assert await arm.refused(GRAFANA, {"zoneRedundancy": "Enabled"}, sku=sku) == (
        400,
        "properties.zoneRedundancy",
    )
    odd = {"azureMonitorWorkspaceIntegrations": [{"azureMonitorWorkspaceResourceId": GRAFANA}]}
    status, target = await arm.refused(GRAFANA, {"grafanaIntegrations": odd}, sku=sku)
    assert (status, target.endswith("[0].azureMonitorWorkspaceResourceId")) == (400, True)
