"""Who hears of what: channels, alerts on the activity log, budgets; and the secrets that lead there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.azure import budget
from tests.infra.azure.components import CHAT, GROUP, PAGER, dev, prod
from tests.infra.azure.declaring import Declarations, Declared, declare


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def test_secrets_are_secret_wherever_they_go(in_prod: Declarations) -> None:
    carried = set()
    for one in in_prod:
        for name, value in one.inputs.items():
            if any("canary" in text for text in _strings(value)):
                carried.add((one.type.partition(":")[2], one.name))
                assert name in one.secret, f"{one.name}.{name} is in the open"
    assert carried == {
        ("keyvault:Secret", "pagerduty-url"),
        ("keyvault:Secret", "teams-url"),
        ("monitor:ActionGroup", "pagerduty"),
        ("monitor:ActionGroup", "teams"),
    }


def test_what_azure_answers_of_them_is_secret_too(in_prod: Declarations) -> None:
    assert in_prod.one("keyvault:Secret", "teams-url").secret_outputs == ("properties",)
    assert in_prod.one("monitor:ActionGroup", "teams").secret_outputs == ("webhookReceivers",)


def test_each_channel_has_an_action_group(in_prod: Declarations) -> None:
    groups = {one.inputs["actionGroupName"]: one.inputs for one in in_prod.of("monitor:ActionGroup")}
    assert set(groups) == {"ag-pagerduty", "ag-teams", "ag-email"}
    for name, url in (("ag-pagerduty", PAGER), ("ag-teams", CHAT)):
        (receiver,) = groups[name]["webhookReceivers"]
        assert (receiver["serviceUri"], receiver["useCommonAlertSchema"]) == (url, True)
    (receiver,) = groups["ag-email"]["emailReceivers"]
    assert receiver["emailAddress"] == "oncall@example.com"
    assert all(len(group["groupShortName"]) <= 12 for group in groups.values())


def test_a_channel_that_nobody_listens_to_does_not_exist(in_dev: Declarations) -> None:
    assert in_dev.of("monitor:ActionGroup") == []
    assert in_dev.of("keyvault:Secret") == []
    found = declare(dev(alerts={"emails": ["a@example.com"]}).alerts)
    assert [one.name for one in found.of("monitor:ActionGroup")] == ["email"]


@pytest.mark.parametrize(
    ("alert", "groups"),
    [
        ("deletions", ["pagerduty", "teams", "email"]),
        ("service-health", ["pagerduty", "teams", "email"]),
        ("security", ["teams", "email"]),
        ("service-notices", ["teams", "email"]),
    ],
)
def test_only_what_is_critical_wakes_somebody(alert: str, groups: list[str], in_prod: Declarations) -> None:
    actions = in_prod.one("monitor:ActivityLogAlert", alert).inputs["actions"]["actionGroups"]
    assert [action["actionGroupId"] for action in actions] == [f"/ActionGroup/{name}" for name in groups]


def _conditions(alert: Declared) -> dict[str, Any]:
    found = {}
    for condition in alert.inputs["condition"]["allOf"]:
        if "anyOf" in condition:
            found[condition["anyOf"][0]["field"]] = [one["equals"] for one in condition["anyOf"]]
        else:
            found[condition["field"]] = condition.get("equals") or condition["containsAny"]
    return found


def test_deletions_are_watched_in_the_group_and_told_once_they_succeeded(in_prod: Declarations) -> None:
    alert = in_prod.one("monitor:ActivityLogAlert", "deletions")
    assert alert.inputs["scopes"] == [GROUP]
    told = _conditions(alert)
    assert (told["category"], told["status"]) == ("Administrative", "Succeeded")
    assert {"Microsoft.Sql/servers/databases/delete", "Microsoft.KeyVault/vaults/delete"} <= set(
        told["operationName"]
    )


def test_azures_own_trouble_is_watched_for_both_regions(in_prod: Declarations) -> None:
    alert = in_prod.one("monitor:ActivityLogAlert", "service-health")
    (scope,) = alert.inputs["scopes"]
    assert scope.startswith("/subscriptions/")
    assert "resourceGroups" not in scope
    regions = _conditions(alert)["properties.impactedServices[*].ImpactedRegions[*].RegionName"]
    assert regions == ["Global", "West Europe", "North Europe"]


def test_the_budget_tells_of_what_was_spent_and_what_will_be(in_prod: Declarations) -> None:
    budget = in_prod.one("consumption:Budget")
    notices = budget.inputs["notifications"].values()
    assert sorted((one["thresholdType"], one["threshold"]) for one in notices) == [
        ("Actual", 50),
        ("Actual", 80),
        ("Actual", 100),
        ("Forecasted", 100),
    ]
    for notice in notices:
        assert notice["contactEmails"] == ["oncall@example.com"]
        assert notice["contactGroups"] == [f"/ActionGroup/{name}" for name in ("pagerduty", "teams", "email")]
        assert notice["operator"] == "GreaterThanOrEqualTo"
    assert budget.inputs["scope"] == GROUP


def test_a_budget_that_names_nobody_still_reaches_its_owners(in_dev: Declarations) -> None:
    for notice in in_dev.one("consumption:Budget").inputs["notifications"].values():
        assert notice["contactRoles"] == ["Owner"]


def test_a_budgets_period_begins_when_it_is_made_or_as_set_and_never_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "this_month", lambda: date(2026, 11, 1))
    unset, pinned = declare(dev().alerts), declare(prod(budget={"start": "2026-12-01"}).alerts)
    assert unset.one("consumption:Budget").inputs["timePeriod"]["startDate"] == "2026-11-01T00:00:00Z"
    declared = pinned.one("consumption:Budget")
    assert declared.inputs["timePeriod"] == {
        "startDate": "2026-12-01T00:00:00Z",
        "endDate": "2036-12-01T00:00:00Z",
    }
    assert declared.ignored == ("timePeriod",)


def test_a_budget_that_is_made_later_than_its_settings_say_begins_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a stamp's is, with the start of its source's: Azure would refuse one that is past."""
    monkeypatch.setattr(budget, "this_month", lambda: date(2027, 3, 1))
    late = declare(prod(budget={"start": "2026-11-01"}).alerts)
    assert late.one("consumption:Budget").inputs["timePeriod"]["startDate"] == "2027-03-01T00:00:00Z"


def test_this_month_begins_on_its_first_day() -> None:
    today = datetime.now(UTC).date()
    assert today - timedelta(days=31) < budget.this_month() <= today
    assert budget.this_month().day == 1


def test_models_filter_harm_both_ways_and_attacks_on_the_prompt(in_prod: Declarations) -> None:
    for policy in in_prod.of("cognitiveservices:RaiPolicy"):
        filters = policy.inputs["properties"]["contentFilters"]
        assert all(one["blocking"] and one["enabled"] for one in filters)
        graded = {(one["name"], one["source"]) for one in filters if one.get("severityThreshold") == "Medium"}
        assert graded == {
            (harm, source)
            for harm in ("Hate", "Selfharm", "Sexual", "Violence")
            for source in ("Prompt", "Completion")
        }
        assert {("Jailbreak", "Prompt"), ("Indirect Attack", "Prompt")} <= {
            (one["name"], one["source"]) for one in filters
        }
    for deployment in in_prod.of("cognitiveservices:Deployment"):
        assert deployment.inputs["properties"]["raiPolicyName"].startswith("content-filter")
