from __future__ import annotations

import json
from typing import Any

import pytest

from infra.settings import SettingsError, parse

GOOD: dict[str, Any] = {
    "location": "westeurope",
    "version": "1.0.0",
    "agents": json.dumps({"notification": {"replicas": 1}}),
}


@pytest.mark.parametrize("stack", ["prod", "tmp", "dev2"])
def test_only_dev_may_be_open_to_anybody(stack: str) -> None:
    entra = json.dumps({"tenant": "11111111-2222-3333-4444-555555555555", "audience": "api://agents"})
    assert parse(GOOD, "dev").authentication is None
    with pytest.raises(
        SettingsError, match=r"pulumi config set --path agents:authentication\.tenant"
    ) as refused:
        parse(GOOD, stack)
    assert f"anybody could call the agents of {stack}" in str(refused.value)
    assert parse({**GOOD, "authentication": entra}, stack).authentication is not None


@pytest.mark.parametrize(
    ("section", "value", "message"),
    [
        (
            "authentication",
            {"tenant": "contoso", "audience": "api://a"},
            "agents:authentication.tenant is 'con",
        ),
        ("authentication", {"tenant": "1" * 36}, "agents:authentication.audience is missing"),
        ("http", {"rate": "10"}, "agents:http.rate is '10'"),
        ("http", {"max_body_bytes": 10}, "agents:http.max_body_bytes is 10"),
        ("agents", {"devops": {"pins": {"a": "1"}}}, "agents:agents.devops.pins.a is '1'"),
        (
            "agents",
            {"devops": {"trials": {"a": {"version": "1.0.0", "share": 2}}}},
            "agents:agents.devops.trials.a.share is 2",
        ),
    ],
)
def test_who_may_call_what_is_named_when_wrong(section: str, value: Any, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**GOOD, section: json.dumps(value)}, "dev")
    assert message in str(refused.value)


def test_defaults_are_the_smallest_honest_size() -> None:
    settings = parse(GOOD, "dev")
    assert settings.environment == "dev"
    assert settings.agents["notification"].memory == "256Mi"
    assert settings.cluster.system.minimum == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verson": "1.0.0"}, "agents:verson is not a setting. Did you mean version?"),
        ({"version": None}, "agents:version"),
        ({"location": "mars"}, "azure-native:location is 'mars'"),
        (
            {"agents": json.dumps({"notification": {"replica": 1}})},
            "agents:agents.notification.replica is not",
        ),
        ({"agents": json.dumps({"notification": {"replica": 1}})}, "Did you mean replicas?"),
        (
            {"agents": json.dumps({"notification": {"replicas": 0}})},
            "agents:agents.notification.replicas is 0",
        ),
        ({"agents": json.dumps({})}, "agents:agents is {}"),
        (
            {"recovery": json.dumps({"cosmos": "restore"})},
            "agents:recovery: cosmos is restore, and as_of does not say what the documents must be as of",
        ),
        (
            {"recovery": json.dumps({"as_of": "2026-11-28T09:59:30Z"})},
            "agents:recovery: as_of is the moment of cosmos: restore",
        ),
        (
            {
                "restores": json.dumps(
                    [{"as_of": f"2026-11-28T{hour}:00:00Z"} for hour in ("09", "10")]
                    + [
                        {
                            "as_of": "2026-11-28T11:00:00Z",
                            "of": "2026-11-28T09:00:00Z",
                            "stamp": "prod-dr",
                        }
                    ]
                )
            },
            "is of 2026-11-28T09:00:00Z and of prod-dr; it can be of one of them",
        ),
        (
            {"cluster": json.dumps({"tire": "Free"})},
            "agents:cluster.tire is not a setting. Did you mean tier?",
        ),
        (
            {"cluster": json.dumps({"system": {"siez": "x"}})},
            "agents:cluster.system.siez is not a setting. Did",
        ),
        (
            {"network": json.dumps({"pods": "10.240.8.0/24"})},
            "agents:network: address_space (10.240.0.0/16) and pods (10.240.8.0/24) overlap; move one",
        ),
        (
            {"network": json.dumps({"nodes": "10.9.0.0/20"})},
            "agents:network: nodes (10.9.0.0/20) lies outside",
        ),
        (
            {"network": json.dumps({"pods": "8.8.0.0/16"})},
            "agents:network.pods is '8.8.0.0/16': 8.8.0.0/16 is not",
        ),
        (
            {"cluster": json.dumps({"kubernetes_version": "1.34.2"})},
            "agents:cluster: kubernetes_version 1.34.2 names a patch, which upgrades (patch) soon leaves",
        ),
        ({"network": json.dumps({"private": True})}, "agents: registry.sku is Basic, but private endpoints"),
        ({"paired_location": "westeurope"}, "agents: paired_location is westeurope, the region of"),
        ({"budget": json.dumps({"start": "2026-11-02"})}, "for example 2026-11-01"),
        ({"domain": "not a domain"}, "agents:domain is 'not a domain'"),
        ({"operators": json.dumps(["me"])}, "agents:operators.0 is 'me'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**GOOD, **change}, "dev")
    assert message in str(refused.value)
    assert "Pulumi.dev.yaml" in str(refused.value)


@pytest.mark.parametrize(
    ("model", "effort", "thought"),
    [
        ({}, "none", 0),
        ({"name": "gpt-5.6-luna"}, "low", 8192),
        ({"name": "gpt-5.4", "reasoning": "medium"}, "medium", 8192),
        ({"reasoning": "low", "reasoning_tokens": 500}, "low", 500),
        ({"name": "gpt-5-mini"}, "minimal", 0),
        ({"name": "o4-mini"}, "low", 8192),
        ({"name": "gpt-6-luna"}, "low", 8192),
        ({"name": "gpt-4.1-mini"}, None, 0),
        ({"name": "gpt-4o"}, None, 0),
        ({"name": "model-router"}, None, 0),
        ({"name": "gpt-chat-latest", "reasoning": "medium"}, "medium", 8192),
    ],
    ids=str,
)
def test_a_model_is_told_to_think_as_little_as_it_can(
    model: dict[str, Any], effort: str | None, thought: int
) -> None:
    found = parse({**GOOD, "model": json.dumps(model)}, "dev").model
    assert (found.effort, found.thought) == (effort, thought)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"name": "gpt-4.1-mini", "reasoning": "none"}, "gpt-4.1-mini does not reason: leave out reasoning"),
        ({"reasoning_tokens": 500}, "needs no reasoning_tokens: leave them out, or set reasoning"),
        ({"reasoning": "much"}, "agents:model.reasoning is 'much'"),
    ],
    ids=["cannot", "needless", "unknown"],
)
def test_a_model_is_told_only_what_it_can_do(model: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**GOOD, "model": json.dumps(model)}, "dev")
    assert message in str(refused.value)


def test_a_missing_setting_comes_with_the_command_that_sets_it() -> None:
    values = {key: value for key, value in GOOD.items() if key != "version"}
    with pytest.raises(SettingsError, match="pulumi config set agents:version VALUE"):
        parse(values, "dev")


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**GOOD, "verson": "1", "suffix": "Much Too Long"}, "dev")
    assert "agents:verson" in str(refused.value)
    assert "agents:suffix" in str(refused.value)


def test_a_stack_name_that_cannot_be_an_environment_is_refused() -> None:
    with pytest.raises(SettingsError, match="agents:environment is 'Feature-X'"):
        parse(GOOD, "Feature-X")


def test_an_environment_whose_accounts_copies_could_have_no_name_is_refused() -> None:
    """Found out on the day of a restore, it would be too late: the environment has its name by then."""
    entra = json.dumps({"tenant": "11111111-2222-3333-4444-555555555555", "audience": "api://agents"})
    named = {**GOOD, "authentication": entra}
    assert parse({**named, "suffix": "abc"}, "prod-euwest").suffix == "abc"
    with pytest.raises(SettingsError, match=r"cosmos-agents-prod-euwest-abcd-99991231235959, is longer than"):
        parse({**named, "suffix": "abcd"}, "prod-euwest")


@pytest.mark.parametrize(
    ("alerts", "named"),
    [
        (
            '{"teams": ["https://contoso.webhook.office.com/KEY"]}',
            "agents:alerts.teams is not what it must be",
        ),
        ("https://events.pagerduty.com/KEY", "agents:alerts is not what it must be"),
    ],
    ids=["a list", "without --path"],
)
def test_what_may_be_a_secret_is_not_shown(alerts: str, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**GOOD, "alerts": alerts}, "dev")
    assert named in str(refused.value)
    assert "KEY" not in str(refused.value)
