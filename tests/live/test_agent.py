"""The agent as its users meet it: over HTTPS from the host; what it kept is read by the official SDK."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

URL = "https://agents-dev.azure.test/api/notification"
EXECUTION = json.dumps({"input": {"channel": "teams", "recipient": "ops", "message": "Queue is growing"}})
READ_BACK = """
import json, sys
from azure.cosmos import CosmosClient
from azure.identity import DefaultAzureCredential
client = CosmosClient(sys.argv[1], credential=DefaultAzureCredential(disable_instance_discovery=True))
container = client.get_database_client("AgentsDB").get_container_client("Events")
print(json.dumps(container.read_item(sys.argv[2], partition_key="notification")))
"""


def _curl(sandbox: Sandbox, *arguments: str) -> tuple[int, Any]:
    result = sandbox.run("curl", "-sS", "-w", "\n%{http_code}", *arguments)
    text, _, code = result.out.rpartition("\n")

    return int(code), json.loads(text)


def _execute(sandbox: Sandbox) -> tuple[int, Any]:
    return _curl(sandbox, "-H", "content-type: application/json", "-d", EXECUTION, f"{URL}/execute")


def test_health_is_good(sandbox: Sandbox) -> None:
    code, health = _curl(sandbox, f"{URL}/health")
    assert (code, health["status"]) == (200, "healthy"), health
    assert {part["name"] for part in health["dependencies"]} >= {"cosmos", "llm", "keyvault"}


def test_an_execution_is_kept_and_read_back_with_the_cosmos_sdk(sandbox: Sandbox) -> None:
    code, execution = _execute(sandbox)
    assert code == 200, execution
    endpoint = sandbox.pulumi("stack", "output", "-s", "dev", "cosmosEndpoint").out.strip()
    document = sandbox.run("uv", "run", "python", "-c", READ_BACK, endpoint, execution["id"]).json()
    assert document["output"] == execution["output"]
    assert document["correlationId"] == execution["correlationId"]


def test_malformed_json_is_refused_with_a_problem(sandbox: Sandbox) -> None:
    code, problem = _curl(sandbox, "-H", "content-type: application/json", "-d", "{nope", f"{URL}/execute")
    assert code == 422
    assert problem["type"] == "urn:agents:problem:invalid-input"


def _wait_for_health(sandbox: Sandbox, wanted: int) -> Any:
    deadline = time.monotonic() + 120
    while True:
        code, health = _curl(sandbox, f"{URL}/health")
        if code == wanted:
            return health
        assert time.monotonic() < deadline, health


def test_a_deleted_role_is_a_403_that_health_names_and_pulumi_heals(sandbox: Sandbox) -> None:
    account = sandbox.az(
        "cognitiveservices", "account", "show", "-g", "rg-agents-dev", "-n", "oai-agents-dev"
    )
    identity = sandbox.az("identity", "show", "-g", "rg-agents-dev", "-n", "id-notification-agents-dev")
    listed = sandbox.az("role", "assignment", "list", "--scope", account["id"])
    mine = [found for found in listed if found["principalId"] == identity["principalId"]]
    assert len(mine) == 1
    sandbox.az("role", "assignment", "delete", "--ids", mine[0]["id"])
    health = _wait_for_health(sandbox, 503)
    llm = next(part for part in health["dependencies"] if part["name"] == "llm")
    assert llm["httpStatus"] in {401, 403}, llm
    code, problem = _execute(sandbox)
    assert code == 502, problem
    assert problem["providerStatus"] == llm["httpStatus"]
    sandbox.pulumi("up", "-s", "dev", "--yes", "--skip-preview", "--refresh", timeout=600)
    _wait_for_health(sandbox, 200)
    assert _execute(sandbox)[0] == 200
