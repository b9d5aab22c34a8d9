"""Another model for a stack that runs: beside the old one, then the agents, then the old one goes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandbox.arm.errors import ArmError
from tests.sandbox.engine.azure_native.fake_arm import GROUP, FakeArm
from tests.sandbox.engine.conftest import Project

ROOT = Path(__file__).parents[3]
# A tag stands for the agents' environment: both are told the deployment's name by the component.
PROGRAM = """
    import pulumi
    from pulumi_azure_native import managedidentity
    from infra.azure import openai
    from infra.azure.exposure import Exposure
    from infra.azure.place import Place
    from infra.cloud import WELL_KNOWN
    from infra.settings.sections import ModelSettings

    # Nothing was deleted before, and nobody is there who could be asked.
    openai.is_soft_deleted = lambda *_: pulumi.Output.from_input(False)
    made = openai.OpenAI(
        "openai",
        openai.OpenAIArgs(
            account="oai-agents-prod",
            backup_account="oai-agents-prod-backup",
            place=Place(WELL_KNOWN["public"], "rg", "westeurope", "northeurope", True, {}),
            model=ModelSettings(**pulumi.Config().require_object("model")),
            exposure=Exposure(),
            workspace_id="/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w",
            users=[],
        ),
    )
    managedidentity.UserAssignedIdentity(
        "agents",
        resource_name_="id-agents",
        resource_group_name="rg",
        location="westeurope",
        tags={"model": made.deployment_name},
    )
"""


@pytest.fixture
def deployed(azure: Project, arm: FakeArm) -> Project:
    azure.environment["PYTHONPATH"] = str(ROOT)
    azure.write(PROGRAM)
    choose(azure, "gpt-4o-mini", "2024-07-18")
    azure.up()
    arm.requests.clear()
    return azure


def choose(azure: Project, name: str, version: str) -> None:
    for key, value in (("name", name), ("version", version)):
        azure.pulumi("config", "set", "--path", f"model.{key}", value)


def written(arm: FakeArm) -> list[tuple[str, str]]:
    """What was put and deleted, in order, by the end of its path below the group."""
    return [
        (method, path.partition("/accounts/")[2] or path.rpartition("/")[2])
        for method, path, _ in arm.requests
        if method in {"PUT", "PATCH", "DELETE"}
    ]


def test_agents_move_to_the_new_model_before_the_old_one_goes(deployed: Project, arm: FakeArm) -> None:
    choose(deployed, "gpt-5.4-mini", "2026-03-17")
    deployed.up()
    steps = written(arm)
    moved = steps.index(("PUT", "id-agents"))
    for account in ("oai-agents-prod", "oai-agents-prod-backup"):
        assert ("PUT", f"{account}/deployments/gpt-5.4-mini") in steps[:moved]
        assert ("DELETE", f"{account}/deployments/gpt-4o-mini") in steps[moved:]
    assert len(steps) == 5


def test_agents_wait_for_the_second_region(deployed: Project, arm: FakeArm) -> None:
    moved, early = threading.Event(), list[bool]()

    def watch(path: str) -> None:
        if path.endswith("/id-agents"):
            moved.set()
        elif path.endswith("-backup/deployments/gpt-5.4-mini"):
            # Agents that wait for the first region alone are here within this time.
            early.append(moved.wait(3))

    arm.before_put = watch
    choose(deployed, "gpt-5.4-mini", "2026-03-17")
    deployed.up()
    assert (early, moved.is_set()) == ([False], True)


@pytest.mark.parametrize("account", ["oai-agents-prod", "oai-agents-prod-backup"])
def test_where_it_cannot_be_deployed_the_agents_keep_the_old_one(
    deployed: Project, arm: FakeArm, account: str
) -> None:
    refused = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/gpt-5.4-mini"
    arm.broken[refused.lower()] = ArmError(400, "InsufficientQuota", "no capacity in quota")
    choose(deployed, "gpt-5.4-mini", "2026-03-17")
    assert "no capacity in quota" in deployed.up(fails=True)
    assert [step for step in written(arm) if step[0] == "DELETE" or step[1] == "id-agents"] == []
