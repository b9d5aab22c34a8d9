"""The pack under the real engine: on a state file without a cloud, and in previews and updates."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from tests.infra.policy.breaches import BREACHES
from tests.infra.policy.declared import Declarations, after, as_state
from tests.infra.policy.production import PRODUCTION
from tests.sandbox.engine.azure_native.fake_arm import FakeArm
from tests.sandbox.engine.conftest import Project

PACK = str(Path(__file__).parents[3] / "infra" / "policy")


def analysed(
    project: Project, declared: Declarations, *, stack: str = "prod", fails: bool = False
) -> dict[str, list[str]]:
    """Rule -> messages of `pulumi policy analyze` on a state file; no stack, no login, no provider."""
    state = project.directory / "state.json"
    state.write_text(as_state(declared, stack))
    printed = project.pulumi(
        "policy", "analyze", "--file", str(state), "--policy-pack", PACK, "--json", fails=fails
    )
    found: dict[str, list[str]] = defaultdict(list)
    for line in printed.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if violation := event.get("policyEvent"):
            found[violation["policyName"]].append(violation["message"])
    return dict(found)


def test_a_good_stack_passes_offline(project: Project) -> None:
    assert analysed(project, PRODUCTION) == {}


def test_breaches_are_found_offline(project: Project) -> None:
    """The first breach of every rule, as many at a time as do not take each other's resources away."""
    left = {rule: changes[0] for rule, changes in BREACHES.items()}
    runs = 0
    while left:
        stack, made = PRODUCTION, []
        for rule, change in left.items():
            try:
                stack = after(stack, change)
            except KeyError:
                continue
            made.append(rule)
        found = analysed(project, stack, fails=True)
        seen = set(found) & set(made)
        assert seen, made
        left = {rule: change for rule, change in left.items() if rule not in seen}
        runs += 1
        assert runs < 6, left


VAULT = """
    import pulumi
    properties = {
        "tenantId": "11111111-1111-1111-1111-111111111111",
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    tags = {"environment": "prod", "application": "agents", "managed-by": "pulumi"}
    vault = pulumi.CustomResource(
        "azure-native:keyvault:Vault",
        "vault",
        {"vaultName": "kv-agents-prod", "resourceGroupName": "rg", "tags": tags, "properties": properties},
        pulumi.ResourceOptions(protect=PROTECT),
    )
"""
DIAGNOSED = """
    pulumi.CustomResource(
        "azure-native:monitor:DiagnosticSetting",
        "logs",
        {
            "name": "to-workspace",
            "resourceUri": vault.id,
            "workspaceId": "/w",
            "logs": [{"categoryGroup": "audit", "enabled": True}],
        },
    )
"""
ON_CLUSTER = """
    cluster = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": vault.id})
    pulumi.CustomResource(
        "kubernetes:apps/v1:Deployment",
        "agent",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "one-agent", "namespace": "agents-prod"},
            "spec": {"template": {"spec": {"containers": [{"name": "c", "image": vault.id}]}}},
        },
        pulumi.ResourceOptions(provider=cluster),
    )
"""


def program(*parts: str, protect: bool = False) -> str:
    return "".join(parts).replace("PROTECT", str(protect))


def test_an_update_that_breaks_a_rule_changes_nothing(azure: Project, arm: FakeArm) -> None:
    azure.write(program(VAULT))
    printed = azure.pulumi("up", "--yes", "--skip-preview", "--policy-pack", PACK, fails=True)
    assert "[mandatory]  production-data-is-protected" in printed
    assert "Make it with the options of Place.stateful" in printed
    assert not arm.bodies()


def test_a_preview_shows_what_breaks_and_how_to_mend_it(azure: Project) -> None:
    azure.write(program(VAULT, protect=True))
    printed = azure.pulumi("preview", "--policy-pack", PACK, fails=True)
    assert "production-data-is-protected" not in printed
    assert "properties.enablePurgeProtection is not set; it must be true" in printed
    assert "Set properties.enable_purge_protection=True" in printed


def test_ties_between_resources_are_seen_before_they_have_ids(azure: Project) -> None:
    azure.write(program(VAULT, protect=True))
    assert "services-send-their-logs" in azure.pulumi("preview", "--policy-pack", PACK, fails=True)
    azure.write(program(VAULT, DIAGNOSED, protect=True))
    printed = azure.pulumi("preview", "--policy-pack", PACK, fails=True)
    assert "services-send-their-logs" not in printed
    assert "can't run policy" not in printed


def test_the_workload_is_judged_before_its_cluster_exists(azure: Project) -> None:
    azure.write(program(VAULT, ON_CLUSTER))
    printed = azure.pulumi("preview", "--policy-pack", PACK, fails=True)
    assert "namespace agents-prod has no default-deny network policy" in printed
    assert "container c may run as root" in printed
    assert "images-are-pinned" not in printed, "the image is not known yet"
    assert "can't run policy" not in printed


def test_rules_for_production_leave_other_stacks_alone(azure: Project) -> None:
    azure.write(program(VAULT))
    azure.pulumi("stack", "select", "test")
    printed = azure.pulumi("preview", "--policy-pack", PACK, fails=True)
    assert "production-" not in printed
    assert "services-send-their-logs" in printed
