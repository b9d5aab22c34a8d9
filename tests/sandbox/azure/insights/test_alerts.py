"""Action groups and the alert rules that name them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.azure.insights.conftest import (
    ACTION_GROUP,
    GROUPS,
    Arm,
)
from tests.sandbox.clouds import GROUP, SUBSCRIPTION

pytestmark = pytest.mark.asyncio(loop_scope="module")
INSIGHTS = f"{GROUPS}/Microsoft.Insights"
ACTIVITY, METRIC = f"{INSIGHTS}/activityLogAlerts/deletions", f"{INSIGHTS}/metricAlerts/slow"
QUERY, TEST = f"{INSIGHTS}/scheduledQueryRules/errors", f"{INSIGHTS}/webtests/probe"
BOOK = f"{INSIGHTS}/workbooks/6f0e9a3c-0d59-4c65-9a53-4f7f2d8c1f11"


async def test_an_action_group_shows_every_kind_of_receiver(arm: Arm, action_group: str) -> None:
    properties = (await arm.get(ACTION_GROUP))["properties"]
    assert properties["emailReceivers"][0]["status"] == "Enabled"
    assert properties["emailReceivers"][0]["useCommonAlertSchema"] is False
    assert properties["webhookReceivers"] == properties["smsReceivers"] == []


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"groupShortName": "thirteen-long"}, "properties.groupShortName"),
        ({"emailReceivers": [{"name": "a", "emailAddress": "nobody"}]}, "emailReceivers[0].emailAddress"),
        (
            {"webhookReceivers": [{"name": "a", "serviceUri": "example.com"}]},
            "webhookReceivers[0].serviceUri",
        ),
        (
            {
                "emailReceivers": [{"name": "a", "emailAddress": "a@b.c"}],
                "webhookReceivers": [{"name": "A", "serviceUri": "https://example.com"}],
            },
            "webhookReceivers[0]",
        ),
    ],
)
async def test_bad_receivers_are_refused(arm: Arm, properties: dict[str, Any], target: str) -> None:
    wanted = {"groupShortName": "mail", "enabled": True, **properties}
    status, found = await arm.refused(ACTION_GROUP, wanted, location="Global")
    assert (status, found.endswith(target)) == (400, True), found


def activity(**changes: Any) -> dict[str, Any]:
    conditions = [
        {"field": "category", "equals": "Administrative"},
        {"anyOf": [{"field": "operationName", "equals": "Microsoft.Sql/servers/delete"}]},
    ]
    return {
        "scopes": [GROUP],
        "condition": {"allOf": conditions},
        "actions": {"actionGroups": [{"actionGroupId": ACTION_GROUP}]},
        **changes,
    }


async def test_activity_alerts(arm: Arm, action_group: str) -> None:
    made = await arm.put(ACTIVITY, activity(), location="global")
    assert made["properties"]["enabled"] is True
    health = {
        "allOf": [
            {"field": "category", "equals": "ServiceHealth"},
            {"field": "properties.impactedServices[*].ServiceName", "containsAny": ["Azure SQL Database"]},
        ]
    }
    await arm.put(f"{ACTIVITY}-2", activity(condition=health, scopes=[SUBSCRIPTION]), location="global")


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": [f"{GROUP}x"]}, "scopes[0]"),
        ({"condition": {"allOf": [{"field": "status", "equals": "Failed"}]}}, "condition.allOf"),
        ({"condition": {"allOf": [{"field": "category", "equals": "Odd"}]}}, "condition.allOf"),
        ({"condition": {"allOf": [{"field": "weather", "equals": "x"}]}}, "condition.allOf[0].field"),
        ({"condition": {"allOf": [{"field": "category"}]}}, "condition.allOf[0]"),
        ({"condition": {"allOf": [{"field": "category", "equals": "ServiceHealth"}]}}, "scopes[0]"),
        ({"actions": {"actionGroups": [{"actionGroupId": f"{ACTION_GROUP}x"}]}}, "actions.actionGroups[0]"),
    ],
)
async def test_bad_activity_alerts_are_refused(
    arm: Arm, action_group: str, changes: dict[str, Any], target: str
) -> None:
    refused = await arm.refused(ACTIVITY, activity(**changes), location="global")
    assert refused == (400, f"properties.{target}")


def metric(**changes: Any) -> dict[str, Any]:
    criterion = {
        "criterionType": "StaticThresholdCriterion",
        "name": "slow",
        "metricName": "ServiceApiLatency",
        "operator": "GreaterThan",
        "threshold": 1000,
        "timeAggregation": "Average",
    }
    kind = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
    return {
        "severity": 2,
        "enabled": True,
        "scopes": [ACTION_GROUP],
        "evaluationFrequency": "PT5M",
        "windowSize": "PT15M",
        "criteria": {"odata.type": kind, "allOf": [criterion]},
        "actions": [{"actionGroupId": ACTION_GROUP}],
        **changes,
    }


async def test_metric_alerts(arm: Arm, action_group: str) -> None:
    properties = (await arm.put(METRIC, metric(), location="global"))["properties"]
    assert properties["autoMitigate"] is True
    assert properties["targetResourceType"] == "Microsoft.Insights/actionGroups"


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"severity": 5}, "severity"),
        ({"evaluationFrequency": "PT2M"}, "evaluationFrequency"),
        ({"windowSize": "PT1M"}, "windowSize"),
        ({"scopes": []}, "scopes"),
        ({"actions": [{"actionGroupId": "x"}]}, "actions[0]"),
    ],
)
async def test_bad_metric_alerts_are_refused(
    arm: Arm, action_group: str, changes: dict[str, Any], target: str
) -> None:
    refused = await arm.refused(METRIC, metric(**changes), location="global")
    assert refused == (400, f"properties.{target}")


def query(**changes: Any) -> dict[str, Any]:
    criterion = {
        "query": "AppExceptions",
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": 5,
    }
    return {
        "severity": 1,
        "scopes": [ACTION_GROUP],
        "evaluationFrequency": "PT5M",
        "windowSize": "PT5M",
        "criteria": {"allOf": [criterion]},
        "actions": {"actionGroups": [ACTION_GROUP]},
        **changes,
    }


async def test_query_rules(arm: Arm, action_group: str) -> None:
    made = await arm.put(QUERY, query())
    assert made["kind"] == "LogAlert"
    assert made["properties"]["createdWithApiVersion"] == "2024-10-01"
    periods = {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
    assert made["properties"]["criteria"]["allOf"][0]["failingPeriods"] == periods


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"scopes": []}, "scopes"),
        ({"severity": None}, "severity"),
        ({"evaluationFrequency": "five"}, "evaluationFrequency"),
        ({"evaluationFrequency": "PT30S"}, "evaluationFrequency"),
        ({"evaluationFrequency": "PT10M"}, "windowSize"),
        ({"criteria": {"allOf": [{"operator": "GreaterThan", "threshold": 1}]}}, "criteria.allOf[0].query"),
        ({"criteria": {"allOf": [{"query": "x", "threshold": 1}]}}, "criteria.allOf[0].operator"),
    ],
)
async def test_bad_query_rules_are_refused(
    arm: Arm, action_group: str, changes: dict[str, Any], target: str
) -> None:
    assert await arm.refused(QUERY, query(**changes)) == (400, f"properties.{target}")


async def test_web_tests_belong_to_a_component(arm: Arm, workspace: str) -> None:
    component = f"{INSIGHTS}/components/appi"
    await arm.put(component, {"Application_Type": "web", "WorkspaceResourceId": workspace}, kind="web")
    properties = {
        "SyntheticMonitorId": "probe",
        "Name": "probe",
        "Kind": "standard",
        "Locations": [{"Id": "emea-nl-ams-azr"}],
        "Request": {"RequestUrl": "https://agents.example.com/healthz"},
    }
    tags = {f"hidden-link:{component}": "Resource"}
    made = (await arm.put(TEST, properties, tags=tags))["properties"]
    assert (made["Frequency"], made["ValidationRules"]["ExpectedHttpStatusCode"]) == (300, 200)
    assert await arm.refused(TEST, properties) == (400, "tags")
    bad = {**properties, "Request": {"RequestUrl": "agents"}}
    assert await arm.refused(TEST, bad, tags=tags) == (400, "properties.Request.RequestUrl")


async def test_workbooks_are_json(arm: Arm) -> None:
    properties = {
        "displayName": "Agents",
        "category": "workbook",
        "serializedData": json.dumps({"items": []}),
    }
    made = await arm.put(BOOK, properties, kind="shared")
    assert made["properties"]["version"] == "Notebook/1.0"
    bad = {**properties, "serializedData": "{"}
    assert await arm.refused(BOOK, bad, kind="shared") == (400, "properties.serializedData")


async def test_the_official_clients_take_no_201_for_some_types(arm: Arm, action_group: str) -> None:
    path = f"{METRIC}-new"
    body = {"location": "global", "properties": metric()}
    assert (await arm.client.ask("PUT", path, body, version="2018-03-01")).status_code == 200
    body = {"properties": activity(), "location": "global"}
    assert (await arm.client.ask("PUT", f"{ACTIVITY}-new", body, version="2020-10-01")).status_code == 201
