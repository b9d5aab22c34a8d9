"""What code does to a model's answer."""

from __future__ import annotations

from typing import Any

import pytest

from app.agents.hooks.approvals import Approvals
from app.agents.hooks.delivery import Delivery, sms_parts
from app.agents.hooks.sla import Sla

SLA = Sla.model_validate({"use": "sla", "promises": {"P0": {"respond": 15, "resolve": 1440}}})


def test_the_clock_runs_from_the_report_over_midnight_and_new_year() -> None:
    found = SLA.apply({"reportedAt": "2026-12-31T23:50:00Z"}, {"priority": "P0"})
    assert found["sla"] == {
        "startsAt": "2026-12-31T23:50:00Z",
        "respondBy": "2027-01-01T00:05:00Z",
        "resolveBy": "2027-01-01T23:50:00Z",
        "respondWithinMinutes": 15,
        "resolveWithinMinutes": 1440,
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_an_sms_is_counted_as_networks_count_it(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


def _delivered(channel: str, body: str) -> dict[str, Any]:
    return Delivery(use="delivery").apply(
        {"channel": channel, "recipient": "r"}, {"subject": "A\nB", "body": body, "tone": "neutral"}
    )


def test_a_delivery_record_says_where_and_how() -> None:
    found = _delivered("slack", "*Done*")
    assert found["subject"] == "A B"
    assert found["delivery"] == {
        "status": "prepared",
        "channel": "slack",
        "recipient": "r",
        "format": "text/x-mrkdwn",
        "characters": 6,
        "shortened": False,
    }
    assert _delivered("sms", "Done")["subject"] == ""
    assert _delivered("sms", "Done")["delivery"]["parts"] == 1


@pytest.mark.parametrize(
    ("channel", "body", "longest"),
    [
        ("sms", "a" * 459, 459),
        ("sms", "a" * 460, 459),
        ("sms", "ж" * 500, 201),
        ("slack", "a" * 4001, 4000),
        ("teams", "€" * 10_000, 9335),
        ("email", "a" * 50_000, 50_000),
    ],
)
def test_a_body_is_cut_exactly_to_what_its_channel_takes(channel: str, body: str, longest: int) -> None:
    found = _delivered(channel, body)
    assert len(found["body"]) == found["delivery"]["characters"] == longest
    assert found["delivery"]["shortened"] is (longest < len(body))
    assert found["body"].endswith("...") is found["delivery"]["shortened"]


WORKFLOWS = [
    {"name": "look", "purpose": "p", "changesState": False},
    {"name": "restart", "purpose": "p", "changesState": True},
]
ANSWER = {
    "actions": [
        {"workflow": "drop-database", "approval": "none"},
        {"workflow": "look"},
        {"workflow": "restart", "approval": "none"},
    ],
    "rollback": {"change": "c-9", "when": "now"},
}


@pytest.mark.parametrize(
    ("environment", "approval"),
    [("dev", "on-call"), ("test", "on-call"), ("prod", "two-people"), (None, "two-people")],
)
def test_only_given_workflows_are_proposed_with_the_approval_of_the_environment(
    environment: str | None, approval: str
) -> None:
    value = {"workflows": WORKFLOWS, **({"environment": environment} if environment else {})}
    found = Approvals(use="approvals").apply(value, ANSWER)
    assert [(action["workflow"], action["approval"]) for action in found["actions"]] == [
        ("look", "none"),
        ("restart", approval),
    ]
    assert found["refused"] == ["drop-database", "c-9"]
    assert found["rollback"] == {"change": None, "when": "now"}


def test_a_name_that_is_given_twice_is_as_strict_as_its_strictest() -> None:
    twice = [*WORKFLOWS, {"name": "restart", "purpose": "p", "changesState": False}]
    found = Approvals(use="approvals").apply({"workflows": twice, "changes": [{"id": "c-9"}]}, ANSWER)
    assert found["actions"][1]["approval"] == "two-people"
    assert found["rollback"]["change"] == "c-9"
