"""Event Grid is away for a while: what agents were asked meanwhile is acted upon afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.live.agents import Agents
from tests.sandboxed import Sandbox

# Pods end, and what they left is only taken up when their successors can be sure of it: minutes.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

NAMESPACE = ("-n", "agents-dev")


@pytest.fixture
def no_event_grid(sandbox: Sandbox) -> Iterator[None]:
    sandbox.run("uv", "run", "sandbox", "fault", "eventgrid", "--status", "503")
    yield
    sandbox.run("uv", "run", "sandbox", "fault", "clear")


def test_incidents_outlive_an_outage_and_the_pods_that_took_them(
    sandbox: Sandbox, no_event_grid: None
) -> None:
    agents = Agents(sandbox, tries=60)
    correlations = [f"outage-{uuid.uuid4()}" for _ in range(6)]
    for number, correlation in enumerate(correlations):
        triage = agents.raise_incident(correlation, affectedUsers=100 + number)
        assert triage["output"]["priority"] != "P3"
        if number == 2:
            # At once: they publish nothing on their way out.
            sandbox.kubectl(
                *("delete", "pod", *NAMESPACE, "-l", "app.kubernetes.io/name=servicedesk-agent"),
                *("--grace-period=0", "--force"),
            )
    assert not any(agents.executions("notification", one) for one in correlations)
    sandbox.run("uv", "run", "sandbox", "fault", "clear")
    for correlation in correlations:
        agents.wait_for("devops", correlation, seconds=240)
        agents.wait_for("notification", correlation, seconds=240)
