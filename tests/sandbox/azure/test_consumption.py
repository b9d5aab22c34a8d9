"""Budgets: when they may start, how many may hear of them, and what never changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.azure import consumption
from tests.sandbox.azure.insights.conftest import ACTION_GROUP, VERSIONS, Arm
from tests.sandbox.azure.insights.conftest import action_group as action_group  # noqa: PLC0414 (a fixture)
from tests.sandbox.azure.insights.conftest import arm as arm  # noqa: PLC0414 (a fixture)
from tests.sandbox.clouds import GROUP, SUBSCRIPTION

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = f"{GROUP}/providers/Microsoft.Consumption/budgets/agents"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumption, "now", lambda: datetime(2026, 11, 24, tzinfo=UTC))


def budget(start: str = "2026-11-01T00:00:00Z", end: str | None = None, **changes: Any) -> dict[str, Any]:
    period = {"startDate": start, **({"endDate": end} if end else {})}
    return {"category": "Cost", "amount": 500, "timeGrain": "Monthly", "timePeriod": period, **changes}


def notice(threshold: float = 80, **changes: Any) -> dict[str, Any]:
    return {
        "enabled": True,
        "operator": "GreaterThanOrEqualTo",
        "threshold": threshold,
        "contactEmails": ["ops@example.com"],
        **changes,
    }


async def test_a_budget_with_its_defaults(arm: Arm, action_group: str) -> None:
    notifications = {"actual-80": notice(contactGroups=[action_group])}
    made = await arm.put(PATH, budget(notifications=notifications), location=None)
    assert made["properties"]["timePeriod"]["endDate"] == "2036-11-01T00:00:00Z"
    assert made["properties"]["currentSpend"] == {"amount": 0, "unit": "EUR"}
    assert made["properties"]["notifications"]["actual-80"]["thresholdType"] == "Actual"
    listed = await arm.get(f"{SUBSCRIPTION}/providers/Microsoft.Consumption/budgets")
    assert [one["name"] for one in listed["value"]] == ["agents"]


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        (budget(amount=0), "amount"),
        (budget("2026-11-02T00:00:00Z"), "timePeriod.startDate"),
        (budget("2026-10-01T00:00:00Z"), "timePeriod.startDate"),
        (budget("2027-12-01T00:00:00Z"), "timePeriod.startDate"),
        (budget("2017-05-01T00:00:00Z"), "timePeriod.startDate"),
        (budget("soon"), "timePeriod.startDate"),
        (budget(end="2026-11-01T00:00:00Z"), "timePeriod.endDate"),
        (budget(notifications={str(n): notice() for n in range(6)}), "notifications"),
        (budget(notifications={"n": notice(0)}), "notifications.n.threshold"),
        (budget(notifications={"n": notice(1000.5)}), "notifications.n.threshold"),
        (budget(notifications={"n": notice(80.123)}), "notifications.n.threshold"),
        (budget(notifications={"n": notice(contactEmails=[])}), "notifications.n.contactEmails"),
        (
            budget(notifications={"n": notice(contactGroups=[f"{ACTION_GROUP}x"])}),
            "notifications.n.contactGroups[0]",
        ),
    ],
)
async def test_what_is_refused(arm: Arm, action_group: str, properties: dict[str, Any], target: str) -> None:
    assert await arm.refused(f"{PATH}-new", properties, location=None) == (400, f"properties.{target}")


async def test_a_yearly_budget_may_have_begun_in_this_year(arm: Arm) -> None:
    await arm.put(f"{PATH}-year", budget("2025-12-01T00:00:00Z", timeGrain="Annually"), location=None)


async def test_a_start_never_changes_and_the_rest_may(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{PATH}-pinned"
    first = await arm.put(path, budget(), location=None)
    monkeypatch.setattr(consumption, "now", lambda: datetime(2027, 2, 3, tzinfo=UTC))
    await arm.put(path, budget(amount=600), location=None)
    assert await arm.refused(path, budget("2027-02-01T00:00:00Z"), location=None) == (
        400,
        "properties.timePeriod.startDate",
    )
    assert await arm.refused(path, budget(timeGrain="Annually"), location=None) == (
        400,
        "properties.timeGrain",
    )
    stale = await arm.client.ask("PUT", path, {"eTag": first["eTag"], "properties": budget()}, **VERSIONS)
    assert stale.status_code == 409
