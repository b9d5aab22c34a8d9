"""Stacks that belong to an environment: they take over its settings, and say themselves what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.naming import Names
from infra.settings import SettingsError, parse

SOURCE: dict[str, Any] = {
    "azure-native:location": "westeurope",
    "agents:paired_location": "northeurope",
    "agents:version": "1.0.0",
    "agents:daily_tokens": 12_000_000,
    "agents:protect": True,
    "agents:agents": {"notification": {"replicas": 2}, "devops": {"replicas": 3, "cpu": "200m"}},
    "agents:authentication": {"tenant": "11111111-2222-3333-4444-555555555555", "audience": "api://a"},
    "agents:registry": {"sku": "Premium"},
    "agents:vault": {"purge_protection": True},
    "agents:alerts": {"emails": ["a@example.com"], "pagerduty": {"secure": "v1:abc"}},
    "agents:restores": [{"as_of": "2026-11-28T09:59:30Z"}],
    "other:key": "not ours",
}
STAMP = {"role": "recovery", "source": "prod", "location": ""}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, "prod", SOURCE)
    return tmp_path


def write(project: Path, stack: str, config: dict[str, Any]) -> None:
    (project / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}))


def test_a_stack_takes_over_its_source_in_the_paired_region(project: Path) -> None:
    stamp = parse(STAMP, "prod-dr", project)
    assert (stamp.environment, stamp.source, stamp.role) == ("prod-dr", "prod", "recovery")
    assert stamp.location == "northeurope"
    assert stamp.paired_location is None
    assert stamp.daily_tokens == 12_000_000
    assert stamp.agents["devops"].replicas == 3


def test_what_differs_is_laid_over_the_source_key_by_key(project: Path) -> None:
    own = {"protect": "false", "agents": json.dumps({"devops": {"replicas": 1}}), "location": "swedencentral"}
    stamp = parse({**STAMP, **own}, "prod-dr", project)
    assert (stamp.protect, stamp.location) == (False, "swedencentral")
    assert (stamp.agents["devops"].replicas, stamp.agents["devops"].cpu) == (1, "200m")
    assert stamp.agents["notification"].replicas == 2


def test_restores_stay_with_their_environment(project: Path) -> None:
    assert parse(STAMP, "prod-dr", project).restores == ()
    with pytest.raises(SettingsError, match=r"set it in Pulumi\.prod\.yaml"):
        parse({**STAMP, "restores": json.dumps([{"as_of": "2026-11-28T09:59:30Z"}])}, "prod-dr", project)


def test_secrets_of_another_stack_are_left_out(project: Path) -> None:
    alerts = parse(STAMP, "prod-dr", project).alerts
    assert alerts.pagerduty is None
    assert list(alerts.emails) == ["a@example.com"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"role": "recovery", "source": None},
            "agents:source must name the environment that the stack belongs to",
        ),
        ({"role": "environment"}, "agents:source is prod, but agents:role is environment"),
        (
            {"source": "prdo"},
            "there is no Pulumi.prdo.yaml beside Pulumi.yaml. There are: lost, prod, single",
        ),
        ({"source": "prod-dr"}, "agents:source is prod-dr, this stack itself"),
        ({"source": "lost"}, "which is a recovery stack itself"),
        ({"source": "single"}, "pulumi config set --stack single agents:paired_location REGION"),
        ({"role": "spare", "source": None, "location": "westeurope"}, "agents:role is 'spare'"),
        ({"suffix": "abcdefgh"}, "agents:suffix is 'abcdefgh'"),
    ],
    ids=["none", "of an environment", "misspelt", "itself", "of a stamp", "one region", "role", "suffix"],
)
def test_a_stack_that_belongs_to_nothing_is_refused(project: Path, own: dict[str, Any], message: str) -> None:
    write(project, "lost", {**SOURCE, "agents:role": "recovery", "agents:source": "prod"})
    write(project, "single", {key: value for key, value in SOURCE.items() if "paired" not in key})
    wanted = {**GOOD, **STAMP, **own}
    with pytest.raises(SettingsError) as refused:
        parse({key: value for key, value in wanted.items() if value is not None}, "prod-dr", project)
    assert message in str(refused.value)


#: What an environment must say, for stacks that take over nothing.
GOOD = {
    "version": "1.0.0",
    "agents": json.dumps({"notification": {}}),
    "authentication": json.dumps(SOURCE["agents:authentication"]),
}


def test_names_with_a_dash_stay_within_azures_rules(project: Path) -> None:
    names = Names("prod-backup", "abcde")
    assert names.registry == "acragentsprodbackupabcde"
    assert names.storage == "stagentsprodbackupabcde"
    assert names.vault == "kvagentsprodbackupabcde"
    assert Names("prod-dr").vault == "kv-agents-prod-dr"
    with pytest.raises(SettingsError, match="longer than Azure's 24 characters"):
        parse({**STAMP, "environment": "produkts-backup", "suffix": "abcde"}, "prod-dr", project)
