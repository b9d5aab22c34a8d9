"""`Microsoft.Insights/scheduledQueryRules`: alerts on what a KQL query finds."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.azure import checks
from sandbox.azure.insights.action_groups import require_groups
from sandbox.azure.insights.metric_alerts import SEVERITIES

#: https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/create-or-update
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=2)
_OPERATORS = ("Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual")
_ALERT = ("severity", "evaluationFrequency", "windowSize", "scopes", "criteria")


class QueryRuleHandler(Handler):
    type = "Microsoft.Insights/scheduledQueryRules"

    async def check(self, put: Put) -> None:
        properties = put.body["properties"]
        if put.body.get("kind", "LogAlert") != "LogAlert":
            return
        missing = next((name for name in _ALERT if properties.get(name) in (None, [], {})), None)
        if missing is not None:
            raise _invalid(f"A log alert needs '{missing}'.", missing)
        checks.one_of(properties["severity"], SEVERITIES, "properties.severity")
        frequency = checks.duration(properties["evaluationFrequency"], "properties.evaluationFrequency")
        window = checks.duration(properties["windowSize"], "properties.windowSize")
        for name, value in (("evaluationFrequency", frequency), ("windowSize", window)):
            if not _SHORTEST <= value <= _LONGEST:
                raise _invalid(f"'{properties[name]}' is not from one minute to two days.", name)
        if window < frequency:
            raise _invalid("The window is shorter than the evaluation frequency.", "windowSize")
        for number, scope in enumerate(properties["scopes"]):
            checks.require(self.services.store, scope, f"properties.scopes[{number}]")
        for number, criterion in enumerate(properties["criteria"].get("allOf") or [{}]):
            _check_criterion(criterion, f"criteria.allOf[{number}]")
        groups = (properties.get("actions") or {}).get("actionGroups") or []
        require_groups(self.services.store, groups, "properties.actions.actionGroups")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        body.setdefault("kind", "LogAlert")
        properties = body["properties"]
        properties.setdefault("enabled", True)
        properties.setdefault("autoMitigate", True)
        for criterion in (properties.get("criteria") or {}).get("allOf") or ():
            criterion.setdefault("dimensions", [])
            criterion.setdefault(
                "failingPeriods", {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
            )
        properties["createdWithApiVersion"] = (
            put.previous.properties.get("createdWithApiVersion") if put.previous else put.api_version
        )
        properties["isLegacyLogAnalyticsRule"] = False
        properties["isWorkspaceAlertsStorageConfigured"] = False
        return body


def _check_criterion(criterion: dict[str, Any], path: str) -> None:
    if not str(criterion.get("query") or "").strip():
        raise _invalid("A criterion has a query.", f"{path}.query")
    if criterion.get("timeAggregation") not in (None, "Count") and not criterion.get("metricMeasureColumn"):
        raise _invalid(
            "An aggregation other than Count needs a column to measure.", f"{path}.metricMeasureColumn"
        )
    if criterion.get("criterionType") == "DynamicThresholdCriterion":
        return
    checks.one_of(criterion.get("operator"), _OPERATORS, f"properties.{path}.operator")
    if criterion.get("threshold") is None:
        raise _invalid("A criterion has a threshold.", f"{path}.threshold")
    periods = criterion.get("failingPeriods") or {}
    total, failing = periods.get("numberOfEvaluationPeriods", 1), periods.get("minFailingPeriodsToAlert", 1)
    if not 1 <= failing <= total <= 6:
        raise _invalid(f"{failing} of {total} periods: at most all of at most six.", f"{path}.failingPeriods")


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("BadRequest", message, f"properties.{path}")
