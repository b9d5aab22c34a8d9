"""Content filters: what they may filter, and that deployments name ones that exist."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.cognitiveservices.accounts import AccountHandler
from sandbox.azure.cognitiveservices.deployments import DeploymentHandler
from sandbox.azure.cognitiveservices.rai_policies import RaiPolicyHandler
from tests.sandbox.azure.conftest import World

ACCOUNT = "Microsoft.CognitiveServices/accounts/oai"
POLICY = f"{ACCOUNT}/raiPolicies/agents"
HATE = {"name": "Hate", "source": "Prompt", "severityThreshold": "Medium"}


def policy(*filters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "properties": {"basePolicyName": "Microsoft.DefaultV2", "contentFilters": list(filters), **changes}
    }


def deployment(name: str) -> dict[str, Any]:
    model = {"format": "OpenAI", "name": "gpt-5.4-mini"}
    return {"sku": {"name": "Standard", "capacity": 1}, "properties": {"model": model, "raiPolicyName": name}}


@pytest.fixture
def account(world: World) -> World:
    body = {"location": "westeurope", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    world.put(AccountHandler, ACCOUNT, body)
    return world


def test_a_policy_with_its_defaults(account: World) -> None:
    jailbreak = {"name": "Jailbreak", "source": "Prompt"}
    made = account.put(RaiPolicyHandler, POLICY, policy(HATE, jailbreak)).properties
    assert (made["mode"], made["type"]) == ("Default", "UserManaged")
    assert all(entry["blocking"] and entry["enabled"] for entry in made["contentFilters"])


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (policy({**HATE, "name": "Rudeness"}), "contentFilters[0].name"),
        (policy({**HATE, "source": None}), "contentFilters[0].source"),
        (policy({**HATE, "severityThreshold": None}), "contentFilters[0].severityThreshold"),
        (policy(HATE, basePolicyName="none"), "basePolicyName"),
    ],
)
def test_what_is_refused(account: World, body: dict[str, Any], target: str) -> None:
    with pytest.raises(ArmError) as refused:
        account.put(RaiPolicyHandler, POLICY, body)
    assert refused.value.target == f"properties.{target}"


def test_azures_own_policies_are_not_made(account: World) -> None:
    with pytest.raises(ArmError, match="Azure's own"):
        account.put(RaiPolicyHandler, f"{ACCOUNT}/raiPolicies/Microsoft.Default", policy(HATE))


def test_a_deployment_names_a_policy_that_exists_and_holds_it(account: World) -> None:
    path = f"{ACCOUNT}/deployments/chat"
    with pytest.raises(ArmError, match="'agents' does not exist"):
        account.put(DeploymentHandler, path, deployment("agents"))
    made = account.put(RaiPolicyHandler, POLICY, policy(HATE))
    account.put(DeploymentHandler, path, deployment("agents"))
    handler = RaiPolicyHandler(account.services)
    with pytest.raises(ArmError, match="used by the deployment 'chat'"):
        asyncio.run(handler.check_delete(made))
    account.put(DeploymentHandler, path, deployment("Microsoft.DefaultV2"))
    asyncio.run(handler.check_delete(made))
