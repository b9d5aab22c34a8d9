"""The deployed agents of dev as a caller sees them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.sandboxed import Sandbox
from tests.waiting import until

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
    """`tries`: how often a caller asks again, once a second, who is not answered."""

    sandbox: Sandbox
    tries: int = 0

    def curl(self, *arguments: str) -> Any:
        # With retries, the bodies of failures would come before the answer.
        again = ("--fail", "--retry", str(self.tries), "--retry-delay", "1")
        failing = again if self.tries else ("--fail-with-body",)
        return self.sandbox.run("curl", "-sS", *failing, *arguments).json()

    def raise_incident(self, correlation: str, **changes: Any) -> dict[str, Any]:
        """The triage's execution, the same for the same correlation."""
        body = json.dumps({"input": {**TICKET, **changes}})
        headers = ("-H", "content-type: application/json", "-H", f"x-correlation-id: {correlation}")
        key = ("-H", f"idempotency-key: {correlation}")
        done: dict[str, Any] = self.curl(*headers, *key, "-d", body, f"{URL}/servicedesk/execute")
        return done

    def executions(self, agent: str, correlation: str) -> list[dict[str, Any]]:
        """Newest first, of the agent's latest hundred."""
        page = self.curl(f"{URL}/{agent}/executions?limit=100")
        return [one for one in page["executions"] if one["correlationId"] == correlation]

    def wait_for(self, agent: str, correlation: str, seconds: float = 120) -> dict[str, Any]:
        """The agent's one execution."""
        found = until(
            lambda: self.executions(agent, correlation),
            seconds=seconds,
            what=f"{agent} acts on {correlation}",
        )
        assert len(found) == 1
        return found[0]

    def trace(self, correlation: str) -> list[dict[str, Any]]:
        """What Application Insights keeps of a request and of all that followed from it."""
        kind = ("--resource-type", "Microsoft.Insights/components")
        component = self.sandbox.az("resource", "show", "-g", "rg-agents-dev", "-n", "appi-agents-dev", *kind)
        host = "https://api.applicationinsights.azure.test"
        question = (
            "union requests, dependencies"
            f" | where tostring(customDimensions.CorrelationId) == '{correlation}'"
            " | project cloud_RoleName, name, operation_Id"
        )
        answer = self.sandbox.az(
            *("rest", "--method", "post", "--resource", host),
            *("--url", f"{host}/v1/apps/{component['properties']['AppId']}/query"),
            *("--body", json.dumps({"query": question})),
        )
        (table,) = answer["tables"]
        names = [column["name"] for column in table["columns"]]
        return [dict(zip(names, row, strict=True)) for row in table["rows"]]
