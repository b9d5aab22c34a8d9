"""Every rule on a stack that keeps it and on stacks that break it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.policy import catalogue
from infra.policy.model import UNKNOWN, Resource, Stack, without_version
from infra.policy.production import is_production
from infra.policy.rule import ResourceRule, Rule, StackRule
from infra.policy.rules import RULES
from infra.policy.stateful import STATEFUL
from tests.infra.policy.breaches import AGENT, BREACHES, CONTAINER, ELSEWHERE
from tests.infra.policy.declared import DIGEST, Change, after, as_stack, changed, removed
from tests.infra.policy.production import PRODUCTION

ROOT = Path(__file__).parents[3]


def faults(stack: Stack) -> dict[str, list[str]]:
    """Rule -> what it finds, as the pack runs the rules."""
    found: dict[str, list[str]] = {}
    for rule in RULES:
        for fault in _found(rule, stack):
            found.setdefault(rule.name, []).append(fault)
    return found


def _found(rule: Rule, stack: Stack) -> list[str]:
    if rule.production and not is_production(stack.name):
        return []
    if isinstance(rule, StackRule):
        return [fault for _, fault in rule.check(stack)]
    assert isinstance(rule, ResourceRule)
    return [
        fault
        for resource in stack.resources
        if not rule.types or resource.type in rule.types
        for fault in rule.check(resource)
    ]


def test_a_good_production_stack_keeps_all_rules() -> None:
    assert faults(as_stack(PRODUCTION)) == {}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        pytest.param(rule, change, id=f"{rule}-{n}")
        for rule, all_ in BREACHES.items()
        for n, change in enumerate(all_)
    ],
)
def test_a_breach_is_found_by_its_rule_and_by_no_other(rule: str, change: Change) -> None:
    assert list(faults(as_stack(after(PRODUCTION, change)))) == [rule]


@pytest.mark.parametrize("rule", ELSEWHERE)
def test_rules_about_other_stacks(rule: str) -> None:
    name, changes = ELSEWHERE[rule]
    assert list(faults(as_stack(after(PRODUCTION, *changes), name))) == [rule]


@pytest.mark.parametrize(
    ("role", "lent"),
    [("7f951dda-4ed3-4680-a7ca-43fe172d538d", True), ("8311e382-0749-4cb8-b61a-304f252e45ec", False)],
    ids=["pulls", "pushes"],
)
def test_a_stack_may_pull_from_a_registry_that_it_was_let_pull_from(role: str, *, lent: bool) -> None:
    """As a stamp does, which builds no images."""
    definition = f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}"
    scope = (
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/acragentsother"
    )
    image = f"acragentsother.azurecr.io/agents-api-notification:1.0.0@{DIGEST}"
    found = faults(
        as_stack(
            after(
                PRODUCTION,
                changed(AGENT, f"{CONTAINER}.image", image),
                changed("role", "roleDefinitionId", definition),
                changed("role", "scope", scope),
            )
        )
    )
    assert found.keys() == (set() if lent else {"images-come-from-our-registry"})


def test_every_rule_has_a_breach() -> None:
    assert {rule.name for rule in RULES} == set(BREACHES) | set(ELSEWHERE)


def test_rules_read_as_rules() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names)) >= 25
    for rule in RULES:
        assert rule.description.endswith("."), rule.name
        assert not rule.remedy.endswith("."), rule.name
        assert rule.source.startswith(("https://", "docs/")), rule.name


def test_the_documented_rules_are_the_rules() -> None:
    command = "uv run python -m infra.policy.catalogue > docs/policies.md"
    assert (ROOT / "docs" / "policies.md").read_text() == catalogue.render(), command


def test_what_rules_for_production_ask_is_not_asked_of_others() -> None:
    asked = {rule.name for rule in RULES if rule.production}
    for name in asked:
        for change in BREACHES[name]:
            capped = changed("logs", "workspaceCapping.dailyQuotaGb", 1)
            other = after(PRODUCTION, changed("group", "tags.environment", "dev"), capped)
            other.pop("other", None)
            found = faults(as_stack(after(other, change), "dev"))
            assert found.keys() <= {"production-is-called-so"}, name


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("prod", True),
        ("prod-dr", True),
        ("prod-backup", True),
        ("production", True),
        ("dev", False),
        ("products", False),
        ("nonprod", False),
    ],
)
def test_production_is_told_by_the_stacks_name(stack: str, expected: bool) -> None:
    assert is_production(stack) is expected


def test_what_is_not_known_yet_is_not_judged() -> None:
    """Whatever single value a preview may not know: nothing is reported before the update knows better."""
    judged = {
        f"{path} of {name}": found
        for name, resource in PRODUCTION.items()
        for path in _paths(resource.inputs)
        if (found := faults(as_stack(after(PRODUCTION, changed(name, path, UNKNOWN)))))
    }
    assert judged == {}


def _paths(value: Any, above: str = "") -> Iterator[str]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            # Names with dots in them cannot be written as paths.
            if "." not in str(key):
                yield f"{above}{key}"
                yield from _paths(item, f"{above}{key}.")


def test_a_lock_on_the_group_is_known_by_its_scope_too() -> None:
    by_id = after(PRODUCTION, changed("lock", "scope", "/subscriptions/0/resourceGroups/RG-agents-prod"))
    by_id["lock"].references.clear()
    assert faults(as_stack(by_id)) == {}
    elsewhere = after(
        PRODUCTION, changed("lock", "scope", "/subscriptions/0/resourceGroups/rg-agents-prod/x/y")
    )
    elsewhere["lock"].references.clear()
    assert list(faults(as_stack(elsewhere))) == ["production-data-is-locked"]


def test_locks_on_each_resource_do_as_well() -> None:
    stack = after(PRODUCTION, removed("lock"))
    for name in ("cosmos", "database", "dead-letters"):
        lock = PRODUCTION["lock"]
        stack[f"lock-{name}"] = type(lock)(
            lock.type, f"lock-{name}", dict(lock.inputs), False, {"scope": [name]}
        )
    assert faults(as_stack(stack)) == {}
    del stack["lock-database"]
    assert list(faults(as_stack(stack))) == ["production-data-is-locked"]


def test_things_of_one_name_are_told_apart_by_their_type() -> None:
    """Both databases are called AgentsDB; a lock on Cosmos DB's does not keep SQL's."""
    scope = "/x/databaseAccounts/cosmos-agents-prod/sqlDatabases/AgentsDB"
    stack = after(PRODUCTION, changed("lock", "scope", scope))
    stack["lock"].references.clear()
    found = as_stack(stack)
    (rule,) = [rule for rule in RULES if rule.name == "production-data-is-locked"]
    assert isinstance(rule, StackRule)
    unlocked = {resource.name for resource, _ in rule.check(found) if resource}
    assert unlocked == {"database", "storage"}


@pytest.mark.parametrize(
    "token",
    [
        "azure-native:cosmosdb:DatabaseAccount",
        "azure-native:cosmosdb/v20241115:DatabaseAccount",
        "azure-native_cosmosdb_v20241115:cosmosdb/v20241115:DatabaseAccount",
    ],
)
def test_no_version_of_a_type_escapes_its_rules(token: str) -> None:
    assert without_version(token) == "azure-native:cosmosdb:DatabaseAccount"


def test_names_of_kubernetes_types_carry_no_version() -> None:
    assert without_version("kubernetes:networking.k8s.io/v1:Ingress") == "kubernetes:networking:Ingress"
    assert without_version("kubernetes:core/v1:Pod") == "kubernetes:core:Pod"
    assert without_version("kubernetes:autoscaling/v2beta2:HorizontalPodAutoscaler").endswith(
        "g:HorizontalPodAutoscaler"
    )


def test_init_containers_are_containers() -> None:
    container = {**PRODUCTION[AGENT].inputs["spec"]["template"]["spec"]["containers"][0], "name": "first"}
    with_init = changed(AGENT, "spec.template.spec.initContainers", [container])
    assert faults(as_stack(after(PRODUCTION, with_init))) == {}
    as_root = {**container, "securityContext": {**container["securityContext"], "runAsUser": 0}}
    breach = changed(AGENT, "spec.template.spec.initContainers", [as_root])
    assert faults(as_stack(after(PRODUCTION, breach))) == {
        "pods-do-not-run-as-root": ["container first runs as user 0"]
    }


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("Reasoning__Tokens", "8192", False),
        ("Reasoning__Tokens", "abc123", True),
        ("AccessToken", "8192", True),
    ],
)
def test_a_number_of_tokens_is_no_token(name: str, value: str, secret: bool) -> None:
    env = changed(AGENT, "spec.template.spec.containers.0.env.0", {"name": name, "value": value})
    assert bool(faults(as_stack(after(PRODUCTION, env)))) is secret


def test_faults_never_show_a_secret() -> None:
    env = changed(AGENT, "spec.template.spec.containers.0.env.0", {"name": "Password", "value": "hunter2"})
    found = faults(as_stack(after(PRODUCTION, env)))
    assert found
    assert "hunter2" not in str(found)


def test_types_that_rules_name_exist_in_the_providers() -> None:
    """A misspelt type would make a rule hold for nothing."""
    import pulumi_azure_native
    import pulumi_kubernetes

    roots = {"azure-native": pulumi_azure_native, "kubernetes": pulumi_kubernetes}
    named = set(STATEFUL) | {kind for rule in RULES if isinstance(rule, ResourceRule) for kind in rule.types}
    for kind in sorted(named):
        package, module, name = kind.split(":")
        folder = Path(roots[package].__path__[0]) / module
        assert folder.is_dir(), kind
        assert any(f"class {name}(" in file.read_text() for file in folder.rglob("*.py")), kind


def test_no_module_beside_the_entry_point_hides_a_library() -> None:
    """Pulumi puts the pack's folder first on the module path."""
    folder = ROOT / "infra" / "policy"
    assert not {path.stem for path in folder.iterdir()} & sys.stdlib_module_names


def test_a_resource_knows_its_name_and_stack() -> None:
    resource = Resource("urn:pulumi:prod-dr::agents::agents:azure:Sql$azure-native:sql:Server::sql", "x", {})
    assert (resource.name, resource.stack) == ("sql", "prod-dr")
