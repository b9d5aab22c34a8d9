"""`Microsoft.Consumption/budgets` at any scope: what may be spent, and who hears of it.

Rules: https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update
"""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.arm.errors import ArmError, bad_request, conflict
from sandbox.arm.handler import Handler, Put
from sandbox.arm.resource import Body
from sandbox.azure.insights.action_groups import require_groups

_MOST_NOTIFICATIONS, _MOST_EMAILS, _MOST_GROUPS = 5, 50, 5
_LARGEST_THRESHOLD = 1000
_FIRST = datetime(2017, 6, 1, tzinfo=UTC)
#: Months that a period of each kind lasts.
_MONTHS = {
    "Monthly": 1,
    "BillingMonth": 1,
    "Quarterly": 3,
    "BillingQuarter": 3,
    "Annually": 12,
    "BillingAnnual": 12,
}
_FUTURE_MONTHS = 12
_DEFAULT_YEARS = 10
_CURRENCY = "EUR"


def now() -> datetime:
    return datetime.now(UTC)


class BudgetHandler(Handler):
    type = "Microsoft.Consumption/budgets"

    async def check(self, put: Put) -> None:
        self._check_version(put)
        properties = put.body["properties"]
        if properties["amount"] <= 0:
            raise _invalid("The amount of a budget must be greater than 0.", "amount")
        start = _check_period(properties["timePeriod"])
        if put.previous is None:
            _check_start(start, str(properties["timeGrain"]))
        else:
            _check_unchanged(properties, put.previous.properties)
        notifications = properties.get("notifications") or {}
        if len(notifications) > _MOST_NOTIFICATIONS:
            raise _invalid(
                f"A budget has at most {_MOST_NOTIFICATIONS} notifications, not {len(notifications)}.",
                "notifications",
            )
        for name, notification in notifications.items():
            self._check_notification(notification, f"notifications.{name}")

    @staticmethod
    def _check_version(put: Put) -> None:
        sent = put.body.get("eTag")
        if sent is not None and put.previous is not None and sent != put.previous.body["eTag"]:
            raise conflict("Conflict", "The budget was changed meanwhile: its eTag is another.")

    def _check_notification(self, notification: dict[str, Any], path: str) -> None:
        threshold = notification["threshold"]
        if not 0 < threshold <= _LARGEST_THRESHOLD or round(threshold, 2) != threshold:
            raise _invalid(
                f"The threshold {threshold} is not a percentage above 0 and up to {_LARGEST_THRESHOLD} with "
                "at most two decimals.",
                f"{path}.threshold",
            )
        emails, groups = notification.get("contactEmails") or [], notification.get("contactGroups") or []
        roles = notification.get("contactRoles") or []
        if not (emails or groups or roles):
            raise _invalid("A notification has at least one contact.", f"{path}.contactEmails")
        if len(emails) > _MOST_EMAILS:
            raise _invalid(
                f"A notification goes to at most {_MOST_EMAILS} addresses.", f"{path}.contactEmails"
            )
        if len(groups) > _MOST_GROUPS:
            raise _invalid(f"A notification goes to at most {_MOST_GROUPS} groups.", f"{path}.contactGroups")
        require_groups(self.services.store, groups, f"properties.{path}.contactGroups")

    async def fill(self, put: Put) -> Body:
        body = copy.deepcopy(put.body)
        properties = body["properties"]
        period = properties["timePeriod"]
        start = _moment(period["startDate"], "startDate")
        end = period.get("endDate")
        last = _moment(end, "endDate") if end else start.replace(year=start.year + _DEFAULT_YEARS)
        properties["timePeriod"] = {"startDate": _text(start), "endDate": _text(last)}
        for notification in (properties.get("notifications") or {}).values():
            notification.setdefault("thresholdType", "Actual")
            notification.setdefault("contactGroups", [])
            notification.setdefault("contactRoles", [])
        before = put.previous.properties if put.previous else {}
        properties["currentSpend"] = before.get("currentSpend") or {"amount": 0, "unit": _CURRENCY}
        body["eTag"] = f'"{uuid.uuid4().hex[:16]}"'
        return body


def _check_period(period: dict[str, Any]) -> datetime:
    start = _moment(period["startDate"], "startDate")
    if (start.day, start.hour, start.minute, start.second) != (1, 0, 0, 0):
        raise _invalid("The start date must be the first of a month.", "timePeriod.startDate")
    if start < _FIRST:
        raise _invalid("The start date must be on or after June 1, 2017.", "timePeriod.startDate")
    if period.get("endDate") and _moment(period["endDate"], "endDate") <= start:
        raise _invalid("The start date must be before the end date.", "timePeriod.endDate")
    return start


def _check_start(start: datetime, grain: str) -> None:
    """A new budget starts in the period that runs now, or within a year."""
    today = now()
    months = (start.year - today.year) * 12 + start.month - today.month
    if months > _FUTURE_MONTHS:
        raise _invalid("The start date must not be more than twelve months ahead.", "timePeriod.startDate")
    if months <= -_MONTHS[grain]:
        raise _invalid(
            f"The start date {_text(start)} lies before the current time grain period ({grain}); a budget "
            "cannot be made for a past one.",
            "timePeriod.startDate",
        )


def _check_unchanged(properties: Body, before: Body) -> None:
    start, old = properties["timePeriod"]["startDate"], before["timePeriod"]["startDate"]
    if _moment(start, "startDate") != _moment(old, "startDate"):
        raise _invalid(f"The start date cannot be changed; it is {old}.", "timePeriod.startDate")
    if properties["timeGrain"] != before["timeGrain"]:
        raise _invalid(f"The time grain cannot be changed; it is {before['timeGrain']}.", "timeGrain")


def _moment(text: str, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _invalid(f"'{text}' is no date.", f"timePeriod.{name}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invalid(message: str, path: str) -> ArmError:
    return bad_request("400", message, f"properties.{path}")


HANDLERS = (BudgetHandler,)
