"""An incident goes from agent to agent: servicedesk triages it, devops proposes actions, notification tells.

Over the deployed parts: each agent's own pod and identity, Event Grid, a storage queue for each agent.
"""

from __future__ import annotations

import json
import uuid

import pytest

from tests.live.agents import TICKET, URL, Agents
from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


@pytest.fixture
def agents(sandbox: Sandbox) -> Agents:
    return Agents(sandbox)


def test_an_incident_is_triaged_acted_upon_and_told(agents: Agents) -> None:
    correlation = f"incident-{uuid.uuid4()}"
    triage = agents.raise_incident(correlation)
    # What the model says decides who has work with it; the sandbox's says the same of the same ticket.
    assert triage["output"]["category"] not in {"request", "hardware"}
    assert triage["output"]["priority"] != "P3"
    assert triage["output"]["sla"]["respondBy"]
    proposal = agents.wait_for("devops", correlation)
    assert proposal["input"]["incident"] == triage["id"]
    assert proposal["input"]["severity"] == triage["output"]["priority"]
    message = agents.wait_for("notification", correlation)
    assert TICKET["title"] in message["input"]["subject"]
    assert message["output"]["delivery"]["status"] == "prepared"


def test_an_incident_is_one_trace_from_the_request_to_the_last_agent(agents: Agents) -> None:
    correlation = f"trace-{uuid.uuid4()}"
    agents.raise_incident(correlation, title="Traced")
    agents.wait_for("notification", correlation)
    steps = {"prompt.load", "chat gpt-5.4-mini", "event.publish"}
    wanted = {("servicedesk-agent", step) for step in (*steps, "POST /api/servicedesk/execute")}
    wanted |= {(f"{agent}-agent", step) for agent in ("devops", "notification") for step in steps}
    wanted |= {(f"{agent}-agent", "event.process") for agent in ("devops", "notification")}
    # Agents send what they have every few seconds.
    rows = until(
        lambda: agents.trace(correlation),
        lambda rows: {(row["cloud_RoleName"], row["name"]) for row in rows} >= wanted,
        seconds=60,
        what="every step is kept",
    )
    assert len({row["operation_Id"] for row in rows}) == 1


def test_a_request_under_a_key_is_executed_once(agents: Agents) -> None:
    key = ("-H", f"idempotency-key: {uuid.uuid4()}", "-H", "content-type: application/json")
    body = json.dumps({"input": {**TICKET, "title": "Once"}})
    first, again = (agents.curl(*key, "-d", body, f"{URL}/servicedesk/execute") for _ in range(2))
    assert first == again


def test_events_under_way_survive_the_restart_of_every_agent(agents: Agents) -> None:
    correlations = [f"restart-{uuid.uuid4()}" for _ in range(5)]
    for number, correlation in enumerate(correlations):
        agents.raise_incident(correlation, title=f"{TICKET['title']} ({number})", affectedUsers=240 + number)
        if number == 2:
            agents.sandbox.kubectl("rollout", "restart", "deployment", "-n", "agents-dev")
    agents.sandbox.kubectl(
        *("wait", "--for=condition=Available", "deployment", "--all", "-n", "agents-dev", "--timeout=240s"),
        timeout=300,
    )
    for correlation in correlations:
        triage = agents.executions("servicedesk", correlation)[0]["output"]
        if triage["category"] != "request":
            agents.wait_for("notification", correlation)
        if triage["category"] not in {"request", "hardware"} and triage["priority"] != "P3":
            agents.wait_for("devops", correlation)


def test_what_was_used_is_taken_from_the_budget(agents: Agents) -> None:
    def used() -> int:
        return int(agents.curl(f"{URL}/servicedesk")["budget"]["used"])

    before = used()
    usage = agents.raise_incident(f"budget-{uuid.uuid4()}", title="Budget")["usage"]
    spent = usage["promptTokens"] + usage["completionTokens"]
    assert spent > 0
    until(lambda: used() >= before + spent, seconds=90, what="the ledger shows it")
