"""`Microsoft.AlertsManagement/prometheusRuleGroups`: rules over an Azure Monitor workspace.

Limits: https://learn.microsoft.com/azure/azure-monitor/metrics/prometheus-rule-groups
"""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.azure import checks
from sandbox.azure.alertsmanagement import promql
from sandbox.azure.insights.action_groups import require_groups
from sandbox.azure.insights.collection import ACCOUNT_TYPE
from sandbox.azure.insights.metric_alerts import SEVERITIES

_CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"
_MOST_RULES, _MOST_ACTIONS = 20, 5
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(minutes=15)
_DEFAULT_INTERVAL = "PT1M"
_DEFAULT_SEVERITY = 3
#: Only alerts have these.
_ALERT_ONLY = ("actions", "annotations", "for", "resolveConfiguration", "severity")


class RuleGroupHandler(Handler):
    type = "Microsoft.AlertsManagement/prometheusRuleGroups"

    async def check(self, put: Put) -> None:
        properties = put.body["properties"]
        self._check_scopes(put, properties["scopes"])
        interval = properties.get("interval")
        if interval is not None:
            found = checks.duration(interval, "properties.interval")
            if not _SHORTEST <= found <= _LONGEST:
                raise _invalid(f"The interval {interval} is not from one to fifteen minutes.", "interval")
        rules = properties["rules"]
        if not 1 <= len(rules) <= _MOST_RULES:
            raise _invalid(f"A group has 1 to {_MOST_RULES} rules, not {len(rules)}.", "rules")
        for number, rule in enumerate(rules):
            self._check_rule(rule, f"rules[{number}]")
        wrong = await promql.problem(rules)
        if wrong is not None:
            number, said = wrong
            raise _invalid(f"The rule cannot be parsed: {said}", f"rules[{number}].expression")

    def _check_scopes(self, put: Put, scopes: list[str]) -> None:
        """The workspace whose metrics are asked, and at most one cluster to narrow it down to."""
        if not scopes:
            raise _invalid("A group has a scope: an Azure Monitor workspace.", "scopes")
        account = checks.require(self.services.store, scopes[0], "properties.scopes[0]", ACCOUNT_TYPE)
        if account.location != put.body["location"]:
            raise _invalid(
                f"The group is in '{put.body['location']}', its workspace in '{account.location}': they must "
                "be in the same region.",
                "scopes[0]",
            )
        if len(scopes) > 2:
            raise _invalid("A group has at most two scopes: a workspace and a cluster.", "scopes")
        for scope in scopes[1:]:
            checks.require(self.services.store, scope, "properties.scopes[1]", _CLUSTER_TYPE)

    def _check_rule(self, rule: dict[str, Any], path: str) -> None:
        if bool(rule.get("alert")) == bool(rule.get("record")):
            raise _invalid("A rule has either 'alert' or 'record'.", path)
        if rule.get("record"):
            wrong = next((name for name in _ALERT_ONLY if rule.get(name)), None)
            if wrong is not None:
                raise _invalid(f"A recording rule has no '{wrong}'.", f"{path}.{wrong}")
            return
        if rule.get("severity") is not None:
            checks.one_of(rule["severity"], SEVERITIES, f"properties.{path}.severity")
        if rule.get("for") is not None and rule["for"] != "PT0S":
            checks.duration(rule["for"], f"properties.{path}.for")
        resolving = rule.get("resolveConfiguration") or {}
        if resolving.get("timeToResolve") is not None:
            checks.duration(
                resolving["timeToResolve"], f"properties.{path}.resolveConfiguration.timeToResolve"
            )
        actions = rule.get("actions") or []
        if len(actions) > _MOST_ACTIONS:
            raise _invalid(f"An alert has at most {_MOST_ACTIONS} action groups.", f"{path}.actions")
        groups = [action.get("actionGroupId") for action in actions]
        require_groups(self.services.store, groups, f"properties.{path}.actions")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        properties.setdefault("enabled", True)
        properties.setdefault("interval", _DEFAULT_INTERVAL)
        for rule in properties["rules"]:
            rule.setdefault("enabled", True)
            if rule.get("alert"):
                rule.setdefault("severity", _DEFAULT_SEVERITY)
                rule.setdefault("actions", [])
        return body


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("BadRequest", message, f"properties.{path}")
