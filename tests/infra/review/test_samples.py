"""The samples are what the real engine says: made with UPDATE_SNAPSHOTS=1, checked without."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.review import plan, policies
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from tests.infra.review.scenarios import PROGRAM, SAMPLES, SCENARIOS, Scenario
from tests.sandbox.engine.azure_native.fake_arm import GROUP, SUBSCRIPTION, FakeArm, FakeConnections
from tests.sandbox.engine.conftest import Project, made_project

PACK = str(Path(__file__).parents[3] / "infra" / "policy")
#: What differs between two runs, or names places of this machine.
_VOLATILE = ("sourcePosition", "stackTrace", "created", "modified", "duration", "provider", "timestamp")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, pulumi_path: str) -> Iterator[tuple[Project, FakeArm]]:
    """The program of the scenarios, deployed as stack `prod`; previews leave it as it is."""
    folder, arm = tmp_path_factory.mktemp("scenarios"), FakeArm()
    arm.resources[GROUP.lower()] = {"id": GROUP, "name": "rg", "location": "westeurope"}
    made = made_project(folder, pulumi_path, {"ARM_SUBSCRIPTION_ID": SUBSCRIPTION})
    project = next(made)
    project.environment["PULUMI_DEBUG_COMMANDS"] = "true"
    project.attach(AzureNative(FakeConnections(arm), Journal(folder / "creations.json")))
    project.pulumi("stack", "init", "prod")
    project.write(PROGRAM)
    project.up()
    yield project, arm
    next(made, None)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_sample_is_what_the_engine_says(name: str, stack: tuple[Project, FakeArm]) -> None:
    project, arm = stack
    scenario = SCENARIOS[name]
    printed, events = _previewed(scenario, project, arm)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SAMPLES.mkdir(exist_ok=True)
        scenario.plan.write_text(_stable(printed))
        lines = [_stable(line, None) for line in events.splitlines() if '"policyEvent"' in line]
        if scenario.policies:
            scenario.events.write_text("\n".join(sorted(lines)))
    assert plan.parse(_stable(printed)) == plan.read(scenario.plan)
    if scenario.policies:
        assert policies.parse(events) == policies.parse(scenario.events.read_text())


def _previewed(scenario: Scenario, project: Project, arm: FakeArm) -> tuple[str, str]:
    """What the engine prints, and its events; the stack and the cloud are then as before."""
    project.write(scenario.program)
    settings = project.directory / "Pulumi.prod.yaml"
    own = settings.read_text()
    resources, exported = dict(arm.resources), project.pulumi("stack", "export") if scenario.left_over else ""
    arm.resources.pop(f"{GROUP}/{scenario.gone}".lower(), None)
    try:
        for key, value in scenario.config:
            settings.write_text(f"{own}config:\n  {key}: {value}\n")
        if scenario.left_over:
            _import(project, _with_left_over(json.loads(exported), scenario.left_over))
        log = project.directory.parent / "events.json"
        pack = ("--policy-pack", PACK) if scenario.policies else ()
        options = ("--json", "--show-replacement-steps", "--event-log", str(log), *pack)
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color=never", "preview", *options, *scenario.arguments],
            cwd=project.directory,
            env=project.environment,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.stdout, log.read_text()
    finally:
        settings.write_text(own)
        arm.resources.update(resources)
        if exported:
            _import(project, json.loads(exported))


def _with_left_over(state: dict[str, Any], name: str) -> dict[str, Any]:
    resources = state["deployment"]["resources"]
    (old,) = [found for found in resources if found["urn"].endswith(f"::{name}")]
    resources.insert(resources.index(old) + 1, {**old, "id": f"{old['id']}-old", "delete": True})
    return state


def _import(project: Project, state: dict[str, Any]) -> None:
    file = project.directory.parent / "state.json"
    file.write_text(json.dumps(state))
    project.pulumi("stack", "import", "--file", str(file))


def _stable(text: str, indent: int | None = 1) -> str:
    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: kept(item) for key, item in value.items() if key not in _VOLATILE}
        if isinstance(value, list):
            return [kept(item) for item in value]
        if isinstance(value, str) and "Traceback" in value:
            first, *_, last = value.strip().splitlines()
            return f"{first}\n{last}"
        return value

    return json.dumps(kept(json.loads(text)), indent=indent, sort_keys=True) + ("\n" if indent else "")
