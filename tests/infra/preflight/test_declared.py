"""The pre-flight's list of types against the resource graphs that were reviewed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.preflight.checks.machines import SURGE
from infra.preflight.checks.models import DEPLOYMENT_SKU
from infra.preflight.declared import actions, declared, namespaces
from infra.preflight.outside import in_backup, in_source, in_subscription
from infra.settings import Settings
from sandbox.types import table
from tests.infra.preflight.recorded import stack

_ASSIGNING = "Microsoft.Authorization/roleAssignments/"
GRAPHS = Path(__file__).parents[1] / "graph"
ENVIRONMENTS = pytest.mark.parametrize("name", ["dev", "prod"])
STACKS = pytest.mark.parametrize("name", ["dev", "prod", "prod-backup", "prod-dr"])


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


@pytest.mark.parametrize(
    ("name", "group", "asked"),
    [
        ("prod-backup", "rg-agents-prod", in_source),
        ("prod-dr", "rg-agents-prod", in_source),
        ("prod-dr", "rg-agents-prod-backup", in_backup),
    ],
)
def test_what_is_made_in_anothers_group_is_asked_for_there(
    name: str, group: str, asked: Callable[[Settings], list[str]]
) -> None:
    """And nothing that is not: the groups have other deployers."""
    made = {
        type_
        for type_, inputs in resources(name)
        if inputs.get("resourceGroupName") == group
        or re.search(rf"/{group}(/|$)", str(inputs.get("scope", "")))
    }
    wanted = asked(stack(name).settings)
    assert {action.removesuffix("/write") for action in wanted if action.endswith("/write")} - {
        # The template of a stamp's deployment sets it.
        "Microsoft.Network/dnsZones/A",
    } == made


def test_only_an_environment_restores() -> None:
    restoring = in_subscription(stack("prod").settings)
    assert "Microsoft.DocumentDB/locations/restorableDatabaseAccounts/restore/action" in restoring
    assert not [*in_subscription(stack("prod-dr").settings), *in_subscription(stack("prod-backup").settings)]
    assert in_source(stack("prod").settings) == []


def test_whoever_copies_images_may_pull_them() -> None:
    """Azure asks both registries; only its own is in a backup's group."""
    backup = stack("prod-backup").settings
    assert "Microsoft.ContainerRegistry/registries/pull/read" in in_source(backup)
    assert "Microsoft.ContainerRegistry/registries/importImage/action" in actions(backup)


def test_only_a_stamp_takes_from_the_backup() -> None:
    assert not in_backup(stack("prod").settings)
    assert not in_backup(stack("prod-backup").settings)
    approve = "privateEndpointConnectionsApproval/action"
    stamp = stack("prod-dr").settings
    assert [one for one in in_backup(stamp) if one.endswith(approve)] == [
        f"Microsoft.KeyVault/vaults/{approve}",
        f"Microsoft.Storage/storageAccounts/{approve}",
    ]
    open_ = stamp.model_copy(update={"network": stamp.network.model_copy(update={"private": False})})
    assert not [one for one in in_backup(open_) if one.endswith(approve)]


def test_a_stamp_asks_for_what_its_registry_and_its_secrets_need() -> None:
    stamp = stack("prod-dr").settings
    registry = "Microsoft.ContainerRegistry/registries"

    def told(**recovery: str) -> Settings:
        changed = stamp.recovery.model_copy(update=recovery)
        return stamp.model_copy(update={"recovery": changed})

    assert in_backup(told(secrets="none")) == []
    pulling = told(secrets="none", images="backup")
    assert {f"{registry}/read", f"{registry}/privateEndpointConnectionsApproval/action"} < set(
        in_backup(pulling)
    )
    assert not [one for one in in_source(pulling) if one.startswith((registry, _ASSIGNING))]


@STACKS
def test_every_namespace_is_to_be_registered(name: str) -> None:
    reviewed = {type_.partition("/")[0] for type_, _ in resources(name)}
    of_clusters = {"Microsoft.Compute", "Microsoft.PolicyInsights"}
    clusters = "Microsoft.ContainerService" in reviewed
    assert set(namespaces(stack(name).settings)) == reviewed | (of_clusters if clusters else set())


def test_azure_backup_is_registered_for_a_backup() -> None:
    assert "Microsoft.DataProtection" in namespaces(stack("prod-backup").settings)


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


@ENVIRONMENTS
def test_pools_surge_as_they_are_declared(name: str) -> None:
    surges = {}
    for type_, inputs in resources(name):
        if type_ == "Microsoft.ContainerService/managedClusters":
            surges["system"] = inputs["agentPoolProfiles"][0]["upgradeSettings"]["maxSurge"]
        if type_ == "Microsoft.ContainerService/managedClusters/agentPools":
            surges["user"] = inputs["upgradeSettings"]["maxSurge"]
    assert surges == SURGE


@ENVIRONMENTS
def test_models_are_deployed_as_they_are_declared(name: str) -> None:
    kinds = {
        inputs["sku"]["name"]
        for type_, inputs in resources(name)
        if type_ == "Microsoft.CognitiveServices/accounts/deployments"
    }
    assert kinds == {DEPLOYMENT_SKU}
