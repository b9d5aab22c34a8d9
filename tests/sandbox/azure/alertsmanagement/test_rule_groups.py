"""Prometheus rule groups: Azure's limits, and expressions that Prometheus itself parses."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from sandbox.azure.alertsmanagement import promql
from tests.sandbox.azure.insights.conftest import ACCOUNT, ACTION_GROUP, GROUPS, Arm
from tests.sandbox.azure.insights.conftest import account as account  # noqa: PLC0414 (a fixture)
from tests.sandbox.azure.insights.conftest import action_group as action_group  # noqa: PLC0414 (a fixture)
from tests.sandbox.azure.insights.conftest import arm as arm  # noqa: PLC0414 (a fixture)
from tests.sandbox.azure.insights.conftest import workspace as workspace  # noqa: PLC0414 (a fixture)

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = f"{GROUPS}/Microsoft.AlertsManagement/prometheusRuleGroups/agents"
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed; `make up` installs it"
)


def group(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"scopes": [ACCOUNT], "rules": list(rules or [alert()]), **changes}


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "alert": "HighErrorRate",
        "expression": 'sum by (agent) (rate(http_requests_total{status=~"5.."}[5m])) > 0.05',
        "for": "PT5M",
        "severity": 1,
        "labels": {"severity": "critical"},
        "annotations": {"summary": "{{ $labels.agent }} fails"},
        "actions": [{"actionGroupId": ACTION_GROUP}],
        "resolveConfiguration": {"autoResolved": True, "timeToResolve": "PT10M"},
        **changes,
    }


async def test_a_group_with_its_defaults(arm: Arm, account: str, action_group: str) -> None:
    bare = {"alert": "Down", "expression": "up == 0"}
    record = {"record": "job:up:sum", "expression": "sum by (job) (up)"}
    properties = (await arm.put(PATH, group(alert(), bare, record)))["properties"]
    assert (properties["interval"], properties["enabled"]) == ("PT1M", True)
    assert (properties["rules"][1]["severity"], properties["rules"][1]["actions"]) == (3, [])
    assert "severity" not in properties["rules"][2]


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        (group(scopes=[]), "scopes"),
        (group(scopes=[ACTION_GROUP]), "scopes[0]"),
        (group(scopes=[ACCOUNT, ACTION_GROUP]), "scopes[1]"),
        (group(interval="PT30S"), "interval"),
        (group(interval="PT1H"), "interval"),
        (group(rules=[]), "rules"),
        (group(rules=[alert()] * 21), "rules"),
        (group(alert(record="a:b")), "rules[0]"),
        (group({"expression": "up"}), "rules[0]"),
        (group({"record": "a:b", "expression": "up", "severity": 1}), "rules[0].severity"),
        (group(alert(severity=7)), "rules[0].severity"),
        (group(alert(**{"for": "5m"})), "rules[0].for"),
        (group(alert(actions=[{"actionGroupId": ACCOUNT}])), "rules[0].actions[0]"),
    ],
)
async def test_what_is_refused(
    arm: Arm, account: str, action_group: str, properties: dict[str, Any], target: str
) -> None:
    assert await arm.refused(PATH, properties) == (400, f"properties.{target}")


@needs_promtool
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (alert(expression="sum(rate(x[5m])"), "unclosed left parenthesis"),
        (alert(expression="rate(x)"), "expected type range vector"),
        (alert(expression="no_such_function(up)"), "unknown function"),
        (alert(annotations={"summary": "{{ $labels.agent "}), "unclosed action"),
        ({"record": "not a name", "expression": "up"}, "invalid recording rule name"),
    ],
)
async def test_what_prometheus_cannot_parse_is_refused(
    arm: Arm, account: str, action_group: str, rule: dict[str, Any], said: str
) -> None:
    good = {"alert": "Down", "expression": "up == 0"}
    answer = await arm.client.ask(
        "PUT", PATH, {"location": "westeurope", "properties": group(good, rule)}, version="2023-03-01"
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["target"]) == (400, "properties.rules[1].expression")
    assert said in error["message"]


async def test_without_promtool_expressions_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promql.shutil, "which", lambda _: None)
    assert await promql.problem([{"alert": "a", "expression": "("}]) is None


async def test_a_group_lies_where_its_workspace_does(arm: Arm, account: str, action_group: str) -> None:
    refused = await arm.refused(f"{PATH}-north", group(), location="northeurope")
    assert refused == (400, "properties.scopes[0]")
