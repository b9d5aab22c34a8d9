"""Publishing again: a Job of its own identity, anew for another moment, with no more than it needs."""

from __future__ import annotations

import json
from datetime import timedelta

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
