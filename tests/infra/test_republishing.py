"""Publishing again: a Job of its own identity, anew for another moment, with no more than it needs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from infra.settings import SettingsError, parse
from infra.stacks.republish import check
from tests.infra.workload import SINCE, container, declared, of


def test_it_is_told_since_when_and_who_listens() -> None:
    ((name, job),) = [one for one in of(declared(since=SINCE), "Job").items() if "republishing" in one[0]]
    only = container(job["spec"]["template"])
    assert only["command"] == ["python", "-m", "app.republish", "--since", "2026-11-28T09:59:30Z"]
    told = {one["name"]: one["value"] for one in only["env"]}
    assert json.loads(told["Republish__Listeners"]) == {"notification": [], "devops": []}
    assert {"CosmosDb__Endpoint", "CosmosDb__Container", "EventGrid__Endpoint"} < told.keys()
    assert not [one for one in told if one.startswith(("Sql__", "KeyVault__", "LLMProvider__"))]
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "republishing"
    assert len(name) <= 63


def test_another_moment_is_another_job_and_the_same_one_is_not() -> None:
    names = [
        set(of(declared(since=moment), "Job")) for moment in (SINCE, SINCE, SINCE + timedelta(seconds=1))
    ]
    assert names[0] == names[1]
    assert len(names[0] ^ names[2]) == 2


def test_it_reaches_services_and_no_database() -> None:
    ways = {name for name in of(declared(since=SINCE), "NetworkPolicy") if name.startswith("republishing")}
    assert ways == {"republishing-to-identity", "republishing-to-services"}


def test_a_moment_that_is_yet_to_come_is_refused() -> None:
    now = datetime(2026, 11, 28, 10, tzinfo=UTC)

    def asked(moment: str | None) -> None:
        given = {"republish": moment} if moment else {}
        check(
            parse(
                {"location": "westeurope", "version": "1.0.0", "agents": {"devops": {}}, **given},
                "dev",
            ),
            now,
        )

    asked(None)
    asked("2026-11-28T10:00:00Z")
    with pytest.raises(
        SettingsError, match=r"republish is 2027-11-28T09:00:00Z, and it is 2026-11-28T10:00:00Z"
    ):
        asked("2027-11-28T09:00:00Z")
