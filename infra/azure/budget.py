"""What the environment may cost in a month, and who hears when it costs more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pulumi
from pulumi_azure_native import consumption

from infra.settings.sections import BudgetSettings

# Percent of the budget. What was spent is known eight to twenty-four hours late: the forecast is the one
# that comes in time.
_ACTUAL = (50, 80, 100)
_FORECAST = (100,)
_YEARS = 10


@dataclass(frozen=True)
class BudgetArgs:
    """`scope` is the id of what is paid for; `groups` are action groups' ids."""

    name: str
    scope: pulumi.Input[str]
    settings: BudgetSettings
    emails: Sequence[str]
    groups: Sequence[pulumi.Input[str]]


class Budget(pulumi.ComponentResource):
    """A monthly budget. Its owners hear of it too, so that somebody does when no one is named.

    Its period never changes: Azure takes no start before the month in which a budget is made, and never lets
    go of it. So a start that is past is not asked for: a stamp has the one of its source's settings, and so
    has an environment whose group was lost.
    https://learn.microsoft.com/azure/templates/microsoft.consumption/budgets
    """

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Budget", name, None, opts)
        self._args = args
        start = max(args.settings.start or this_month(), this_month())
        consumption.Budget(
            name,
            budget_name=args.name,
            scope=args.scope,
            amount=args.settings.monthly,
            category=consumption.CategoryType.COST,
            time_grain=consumption.TimeGrainType.MONTHLY,
            time_period=consumption.BudgetTimePeriodArgs(
                start_date=_midnight(start), end_date=_midnight(start.replace(year=start.year + _YEARS))
            ),
            notifications={
                **{f"actual-{percent}": self._notice(percent, "Actual") for percent in _ACTUAL},
                **{f"forecast-{percent}": self._notice(percent, "Forecasted") for percent in _FORECAST},
            },
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["timePeriod"]),
        )
        self.register_outputs({})

    def _notice(self, percent: int, kind: str) -> consumption.NotificationArgs:
        return consumption.NotificationArgs(
            enabled=True,
            operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
            threshold=percent,
            threshold_type=kind,
            contact_emails=list(self._args.emails),
            contact_groups=list(self._args.groups),
            contact_roles=["Owner"],
        )


def this_month() -> date:
    """Its first day, in UTC."""
    return datetime.now(UTC).date().replace(day=1)


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
