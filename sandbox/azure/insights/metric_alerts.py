"""`Microsoft.Insights/metricAlerts`: alerts on platform metrics."""

from __future__ import annotations

import copy

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.azure import checks
from sandbox.azure.insights.action_groups import require_groups

#: https://learn.microsoft.com/rest/api/monitor/metric-alerts/create-or-update
_FREQUENCIES = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H")
_WINDOWS = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "PT12H", "P1D")
_WEB_TEST = "WebtestLocationAvailabilityCriteria"
SEVERITIES = (0, 1, 2, 3, 4)


class MetricAlertHandler(Handler):
    type = "Microsoft.Insights/metricAlerts"
    created_status = 200

    async def check(self, put: Put) -> None:
        properties = put.body["properties"]
        checks.one_of(properties["severity"], SEVERITIES, "properties.severity")
        frequency, window = properties["evaluationFrequency"], properties["windowSize"]
        checks.one_of(frequency, _FREQUENCIES, "properties.evaluationFrequency")
        checks.one_of(window, _WINDOWS, "properties.windowSize")
        if _WINDOWS.index(window) < _WINDOWS.index(frequency):
            raise bad_request(
                "BadRequest",
                f"The window of {window} is shorter than the evaluation frequency of {frequency}.",
                "properties.windowSize",
            )
        if not properties["scopes"]:
            raise bad_request("BadRequest", "A rule has at least one scope.", "properties.scopes")
        for number, scope in enumerate(properties["scopes"]):
            checks.require(self.services.store, scope, f"properties.scopes[{number}]")
        criteria = properties["criteria"]
        if str(criteria["odata.type"]).endswith(_WEB_TEST):
            for name in ("webTestId", "componentId"):
                checks.require(self.services.store, criteria.get(name), f"properties.criteria.{name}")
        elif not criteria.get("allOf"):
            raise bad_request("BadRequest", "A rule has at least one criterion.", "properties.criteria.allOf")
        groups = [one.get("actionGroupId") for one in properties.get("actions") or ()]
        require_groups(self.services.store, groups, "properties.actions")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        properties.setdefault("autoMitigate", True)
        properties.setdefault("actions", [])
        scope = self.services.store.get(properties["scopes"][0])
        if scope is not None:
            properties.setdefault("targetResourceType", scope.id.type)
        for number, criterion in enumerate(properties["criteria"].get("allOf") or (), 1):
            criterion.setdefault("name", f"Metric{number}")
            criterion.setdefault("dimensions", [])
            criterion.setdefault("criterionType", "StaticThresholdCriterion")
        return body
