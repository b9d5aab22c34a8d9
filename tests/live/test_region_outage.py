"""The region of dev is lost and comes back: nothing of it answers meanwhile, and all of it afterwards, by
itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]

GROUP, CLUSTER = "rg-agents-dev", "aks-agents-dev"
#: Seconds for a cluster whose machines were off the network to call its node Ready again.
BACK_SECONDS = 300


@pytest.fixture
def region(sandbox: Sandbox) -> Iterator[str]:
    """Where the cluster is; up again after the test, whatever came of it."""
    found = str(sandbox.az("aks", "show", "-g", GROUP, "-n", CLUSTER)["location"])
    yield found
    if any(one["region"] == found for one in outages(sandbox)):
        sandbox.run("uv", "run", "sandbox", "outage", found, "--end")


def outages(sandbox: Sandbox) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = sandbox.run("uv", "run", "sandbox", "outage", "--json").json()
    return listed


def answers(sandbox: Sandbox, url: str) -> bool:
    body = json.dumps({"input": {"channel": "teams", "recipient": "ops", "message": "Down?"}})
    done = sandbox.run(
        *("curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "-d", body),
        *("-H", "content-type: application/json", f"{url}/api/notification/execute"),
        check=False,
    )
    return done.code == 0 and done.out.strip() == "200"


def test_a_lost_region_is_silent_and_comes_back_by_itself(sandbox: Sandbox, region: str) -> None:
    url = sandbox.pulumi("stack", "output", "-s", "dev", "agentsUrl").out.strip()
    until(lambda: answers(sandbox, url), seconds=60)
    pods = sandbox.kubectl("get", "pods", "-n", "agents-dev", "-o", "name").split()

    sandbox.run("uv", "run", "sandbox", "outage", region)
    assert [one["region"] for one in outages(sandbox)] == [region]
    assert not answers(sandbox, url)
    nodes = ("kubectl", "get", "nodes", "--request-timeout=10s")
    assert sandbox.run(*nodes, check=False).code != 0
    # Asked once: `az aks show` would try again for minutes, as official clients do on a 503.
    group = sandbox.az("group", "show", "-n", GROUP)["id"]
    path = f"{group}/providers/Microsoft.ContainerService/managedClusters/{CLUSTER}?api-version=2024-05-01"
    shown = sandbox.run("az", "rest", "--url", path, check=False)
    assert shown.code != 0
    assert "ServiceUnavailable" in shown.err

    sandbox.run("uv", "run", "sandbox", "outage", region, "--end")
    until(lambda: sandbox.run(*nodes, check=False).code == 0, seconds=BACK_SECONDS)
    until(lambda: answers(sandbox, url), seconds=BACK_SECONDS)
    # The cluster was cut off, not made anew.
    assert set(pods) <= set(sandbox.kubectl("get", "pods", "-n", "agents-dev", "-o", "name").split())
