"""`Microsoft.Insights/activityLogAlerts`: alerts on what the activity log says."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Handler, Put
from sandbox.arm.ids import SUBSCRIPTION_TYPE
from sandbox.arm.resource import Body
from sandbox.azure import checks
from sandbox.azure.insights.action_groups import require_groups

_CATEGORIES = (
    "Administrative",
    "Alert",
    "Autoscale",
    "Policy",
    "Recommendation",
    "ResourceHealth",
    "Security",
    "ServiceHealth",
)
#: Fields besides those below `properties.`.
#: https://learn.microsoft.com/rest/api/monitor/activity-log-alerts/create-or-update
_FIELDS = (
    "caller",
    "category",
    "level",
    "operationname",
    "resourcegroup",
    "resourceid",
    "resourceprovider",
    "resourcetype",
    "status",
    "substatus",
)


class ActivityLogAlertHandler(Handler):
    type = "Microsoft.Insights/activityLogAlerts"

    async def check(self, put: Put) -> None:
        properties = put.body["properties"]
        conditions = properties["condition"]["allOf"]
        for number, condition in enumerate(conditions):
            _check_condition(condition, f"condition.allOf[{number}]")
        categories = [one.get("equals") for one in conditions if str(one.get("field")).lower() == "category"]
        if len(categories) != 1 or str(categories[0]).lower() not in {one.lower() for one in _CATEGORIES}:
            listed = ", ".join(_CATEGORIES)
            raise _invalid(
                f"A rule has one condition on the field 'category'; its value is one of {listed}.",
                "condition.allOf",
            )
        scopes = properties["scopes"]
        if not scopes:
            raise _invalid("A rule has at least one scope.", "scopes")
        for number, scope in enumerate(scopes):
            found = checks.require(self.services.store, scope, f"properties.scopes[{number}]")
            if str(categories[0]).lower() == "servicehealth" and found.id.type != SUBSCRIPTION_TYPE:
                raise _invalid("Service health is told of subscriptions only.", f"scopes[{number}]")
        groups = properties["actions"].get("actionGroups") or []
        require_groups(
            self.services.store,
            [one["actionGroupId"] for one in groups],
            "properties.actions.actionGroups",
        )

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        properties.setdefault("enabled", True)
        properties["actions"].setdefault("actionGroups", [])
        for group in properties["actions"]["actionGroups"]:
            group.setdefault("webhookProperties", {})
        return body


def _check_condition(condition: dict[str, Any], path: str) -> None:
    """A leaf (a field that equals a value or contains one of some), or any of several leaves."""
    kinds = [kind for kind in ("anyOf", "equals", "containsAny") if condition.get(kind) is not None]
    if len(kinds) != 1:
        raise _invalid("A condition has one of 'anyOf', 'equals' and 'containsAny'.", path)
    if kinds[0] == "anyOf":
        for number, leaf in enumerate(condition["anyOf"]):
            if leaf.get("anyOf") is not None:
                raise _invalid("'anyOf' holds no further 'anyOf'.", f"{path}.anyOf[{number}]")
            _check_condition(leaf, f"{path}.anyOf[{number}]")
        return
    field = str(condition.get("field") or "").lower()
    if field not in _FIELDS and not field.startswith("properties."):
        raise _invalid(
            f"The field '{condition.get('field')}' is not one of the activity log's.", f"{path}.field"
        )


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("InvalidActivityLogAlertRule", message, f"properties.{path}")
