"""The pre-flight's list of types against the resource graphs that were reviewed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.preflight.checks.machines import SURGE
from infra.preflight.checks.models import DEPLOYMENT_SKU
from infra.preflight.declared import actions, declared, namespaces
from infra.settings import Settings
from sandbox.types import table
from tests.infra.preflight.recorded import stack

GRAPHS = Path(__file__).parents[1] / "graph"
STACKS = pytest.mark.parametrize("name", ["dev", "prod"])


@cache
def resources(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Type and inputs of every Azure resource in the reviewed graph."""
    found = []
    for path, told in yaml.safe_load((GRAPHS / f"{name}.yaml").read_text()).items():
        row = table.by_token(path.rpartition(" / ")[2].split(" ")[0])
        if row is not None:
            inputs = told.get("inputs") or {}
            found.append((row.type.replace("{recordType}", inputs.get("recordType", "")), inputs))
    return found


@STACKS
def test_every_type_is_known_with_the_regions_it_lies_in(name: str) -> None:
    settings = stack(name).settings
    reviewed: dict[str, set[str]] = {}
    for type_, inputs in resources(name):
        region = str(inputs.get("location", "global")).lower()
        reviewed.setdefault(type_, set()).update({region} - {"global"})
    assert {one.type: set(one.regions(settings)) for one in declared(settings)} == reviewed


@STACKS
def test_every_namespace_is_to_be_registered(name: str) -> None:
    reviewed = {type_.partition("/")[0] for type_, _ in resources(name)}
    assert set(namespaces(stack(name).settings)) == reviewed | {
        "Microsoft.Compute",
        "Microsoft.PolicyInsights",
    }


def test_only_a_protected_environment_needs_locks() -> None:
    settings = stack("prod").settings
    assert "Microsoft.Authorization/locks/delete" in actions(settings)
    assert not [one for one in actions(settings.model_copy(update={"protect": False})) if "/locks/" in one]


def test_a_group_is_the_subscriptions_in_actions() -> None:
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in actions(stack("dev").settings)


def test_defender_is_registered_where_it_is_on() -> None:
    settings: Settings = stack("dev").settings
    cluster = settings.cluster.model_copy(update={"defender": True})
    assert "Microsoft.Security" not in namespaces(settings)
    assert "Microsoft.Security" in namespaces(settings.model_copy(update={"cluster": cluster}))


@STACKS
def test_pools_surge_as_they_are_declared(name: str) -> None:
    surges = {}
    for type_, inputs in resources(name):
        if type_ == "Microsoft.ContainerService/managedClusters":
            surges["system"] = inputs["agentPoolProfiles"][0]["upgradeSettings"]["maxSurge"]
        if type_ == "Microsoft.ContainerService/managedClusters/agentPools":
            surges["user"] = inputs["upgradeSettings"]["maxSurge"]
    assert surges == SURGE


@STACKS
def test_models_are_deployed_as_they_are_declared(name: str) -> None:
    kinds = {
        inputs["sku"]["name"]
        for type_, inputs in resources(name)
        if type_ == "Microsoft.CognitiveServices/accounts/deployments"
    }
    assert kinds == {DEPLOYMENT_SKU}
