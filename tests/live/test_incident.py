"""An incident goes from agent to agent: servicedesk triages it, devops proposes actions, notification tells.

Over the deployed parts: each agent's own pod and identity, Event Grid, a storage queue for each agent.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

URL = "https://agents-dev.azure.test/api"
TICKET = {
    "title": "Nobody can sign in to the order portal",
    "description": "Since nine everyone gets 'token issuer not trusted'.",
    "reporter": "reception@example.com",
    "reportedAt": "2026-11-24T08:12:00Z",
    "affectedUsers": 240,
}


@dataclass(frozen=True)
class Agents:
    sandbox: Sandbox

    def curl(self, *arguments: str) -> Any:
        return self.sandbox.run("curl", "-sS", "--fail-with-body", *arguments).json()

    def raise_incident(self, correlation: str, **changes: Any) -> dict[str, Any]:
        """The triage's execution."""
        body = json.dumps({"input": {**TICKET, **changes}})
        headers = ("-H", "content-type: application/json", "-H", f"x-correlation-id: {correlation}")
        done: dict[str, Any] = self.curl(*headers, "-d", body, f"{URL}/servicedesk/execute")
        return done

    def executions(self, agent: str, correlation: str) -> list[dict[str, Any]]:
        """Newest first, of the agent's latest hundred."""
        page = self.curl(f"{URL}/{agent}/executions?limit=100")
        return [one for one in page["executions"] if one["correlationId"] == correlation]

    def wait_for(self, agent: str, correlation: str) -> dict[str, Any]:
        found = until(
            lambda: self.executions(agent, correlation), seconds=120, what=f"{agent} acts on {correlation}"
        )
        assert len(found) == 1
        return found[0]


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
