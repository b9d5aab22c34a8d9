"""Diagnostic settings: categories by type, destinations that exist, and nothing sent twice."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.known import catalogue
from sandbox.azure.insights import categories
from tests.sandbox.azure.insights.conftest import WORKSPACE, Arm

pytestmark = pytest.mark.asyncio(loop_scope="module")
SETTINGS = "providers/Microsoft.Insights/diagnosticSettings"


def setting(*groups: str, category: str | None = None, **more: Any) -> dict[str, Any]:
    logs = [{"categoryGroup": group, "enabled": True} for group in groups]
    if category:
        logs.append({"category": category, "enabled": True})
    return {"workspaceId": WORKSPACE, "logs": logs, **more}


async def test_logs_and_metrics_of_a_vault(arm: Arm, workspace: str, vault: str) -> None:
    metrics = [{"category": "AllMetrics", "enabled": True}]
    path = f"{vault}/{SETTINGS}/to-workspace"
    made = await arm.put(path, setting("audit", "allLogs", metrics=metrics))
    assert made["properties"]["logs"][0]["retentionPolicy"] == {"enabled": False, "days": 0}
    listed = await arm.get(f"{vault}/providers/Microsoft.Insights/diagnosticSettingsCategories")
    names = {one["name"]: one["properties"]["categoryType"] for one in listed["value"]}
    assert names["AuditEvent"] == "Logs"
    assert names["AllMetrics"] == "Metrics"
    one = await arm.get(f"{vault}/providers/Microsoft.Insights/diagnosticSettingsCategories/auditevent")
    assert one["properties"]["categoryGroups"] == ["allLogs", "audit"]


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        (setting(category="kube-audit"), "properties.logs[0].category"),
        (setting("everything"), "properties.logs[0].categoryGroup"),
        (setting("audit", workspaceId=None), "properties"),
        (setting("audit", workspaceId=f"{WORKSPACE}x"), "properties.workspaceId"),
        (setting(), "properties.logs"),
        (setting(metrics=[{"category": "Requests", "enabled": True}]), "properties.metrics[0].category"),
        ({"workspaceId": WORKSPACE, "logs": [{"enabled": True}]}, "properties.logs[0]"),
    ],
)
async def test_what_is_refused(
    arm: Arm, workspace: str, vault: str, properties: dict[str, Any], target: str
) -> None:
    assert await arm.refused(f"{vault}/{SETTINGS}/one", properties) == (400, target)


async def test_the_same_is_not_sent_twice_to_one_place(arm: Arm, workspace: str, vault: str) -> None:
    audit, policy = setting(category="AuditEvent"), setting(category="AzurePolicyEvaluationDetails")
    await arm.put(f"{vault}/{SETTINGS}/one", audit)
    assert (await arm.refused(f"{vault}/{SETTINGS}/two", audit))[0] == 409
    await arm.put(f"{vault}/{SETTINGS}/two", policy)


async def test_types_without_any_are_refused(arm: Arm, workspace: str, action_group: str) -> None:
    refused = await arm.refused(f"{action_group}/{SETTINGS}/one", setting("audit"))
    assert refused == (400, "ResourceTypeNotSupported")


async def test_every_type_with_categories_exists() -> None:
    known = catalogue()
    absent = {name for name in categories.KNOWN if known.find(name) is None}
    assert absent == {
        "Microsoft.Resources/subscriptions",
        "Microsoft.Storage/storageAccounts/fileServices",
        "Microsoft.Storage/storageAccounts/tableServices",
    }
