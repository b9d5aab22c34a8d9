"""Which settings a backup or recovery stack takes over from its source's file, each named once.

What speaks of the source's own data or past is not: a stamp that inherited it would say it of itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings import SettingsError, base, parse
from infra.settings.model import Settings

#: By setting, why no other stack has it from its source.
OWN = {
    "environment": "a stack's name",
    "role": "what a stack is for",
    "source": "whom a stack belongs to",
    "location": "a stack of its own region: the source's second one, where it names none",
    "paired_location": "where the source's second copies are, of which a stamp is one",
    "recovery": "where in its life a stamp is",
    "restores": "to which moments the source's data went back",
    "republish": "from when on the source's events are published again, once",
    "begin_empty": "which of the source's data was given up",
}
#: What the stacks of an environment have in common, unless they say otherwise.
INHERITED = {
    "version",
    "agents",
    "daily_tokens",
    "protect",
    "suffix",
    "domain",
    "operators",
    "authentication",
    "http",
    "network",
    "cluster",
    "model",
    "registry",
    "cosmos",
    "sql",
    "storage",
    "events",
    "vault",
    "telemetry",
    "alerts",
    # Its start may be long past when a stamp is made: `infra.azure.budget` begins with that month then.
    "budget",
    "certificates",
    "backup",
}
#: By role, a stack of prod.
BELONGING = [("backup", "prod-backup"), ("recovery", "prod-dr")]


def test_every_setting_is_either_a_stacks_own_or_inherited() -> None:
    assert OWN.keys() | INHERITED == set(Settings.model_fields)
    source = dict.fromkeys(Settings.model_fields, "the source's")
    found = base.inherited(source, {"environment": "prod-dr", "location": "northeurope"})
    assert found == {
        **dict.fromkeys(INHERITED, "the source's"),
        "environment": "prod-dr",
        "location": "northeurope",
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With a source that was restored, gave data up and published again."""
    config: dict[str, Any] = {
        "azure-native:location": "westeurope",
        "agents:paired_location": "northeurope",
        "agents:version": "1.0.0",
        "agents:agents": {"notification": {}},
        "agents:authentication": {
            "tenant": "11111111-2222-3333-4444-555555555555",
            "audience": "api://agents",
        },
        "agents:registry": {"sku": "Premium"},
        "agents:restores": [{"as_of": "2026-11-28T09:59:30Z"}],
        "agents:republish": "2026-11-28T09:00:00Z",
        "agents:begin_empty": ["8f3c1a52-0d5e-4b57-9c39-5d1b1a6f0c11"],
    }
    (tmp_path / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": config}))
    return tmp_path


@pytest.mark.parametrize(("role", "stack"), BELONGING)
def test_a_stack_that_belongs_to_an_environment_has_nothing_of_its_past(
    role: str, stack: str, project: Path
) -> None:
    found = parse({"role": role, "source": "prod", "location": ""}, stack, project)
    assert (found.restores, found.republish, found.begin_empty) == ((), None, ())


@pytest.mark.parametrize(("role", "stack"), BELONGING)
def test_data_is_given_up_where_it_is(role: str, stack: str, project: Path) -> None:
    own = {"begin_empty": json.dumps(["8f3c1a52-0d5e-4b57-9c39-5d1b1a6f0c11"])}
    with pytest.raises(SettingsError, match=r"begin_empty is about .*: set it in Pulumi\.prod\.yaml"):
        parse({"role": role, "source": "prod", "location": "", **own}, stack, project)
