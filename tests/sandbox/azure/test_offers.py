"""What a subscription may do and what regions offer: permissions, machine sizes, quotas, databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.rbac import ASSIGNMENT_TYPE, DEFINITION_TYPE
from sandbox.arm.resource import Resource
from sandbox.azure.compute import FAMILY_LIMIT, REGIONAL_LIMIT, SkuHandler, UsageHandler
from sandbox.azure.documentdb.locations import LocationHandler
from sandbox.azure.permissions import PermissionHandler
from sandbox.azure.sql.capabilities import CapabilityHandler
from sandbox.config import REGIONS
from tests.sandbox.azure.conftest import World
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, Client, running

CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
PERMISSIONS = "providers/Microsoft.Authorization/permissions"


@pytest.fixture
async def arm(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path, handlers=(PermissionHandler, SkuHandler, UsageHandler)) as client:
        await client.put(GROUP, {"location": "westeurope"})
        yield client


async def assign(arm: Client, to: Client, definition: str, scope: str) -> None:
    path = f"{scope}/providers/{ASSIGNMENT_TYPE}/0badf00d-0000-4000-8000-00000000000{len(scope) % 10}"
    role = f"{SUBSCRIPTION}/providers/{DEFINITION_TYPE}/{definition}"
    await arm.put(path, {"properties": {"roleDefinitionId": role, "principalId": to.object_id}})


async def test_permissions_are_those_of_the_callers_roles_at_the_scope_and_above(arm: Client) -> None:
    owner = (await arm.get(f"{GROUP}/{PERMISSIONS}"))["value"]
    assert [each["actions"] for each in owner] == [["*"]]
    other = arm.other("other")
    assert await other.refused("GET", f"{GROUP}/{PERMISSIONS}") == (403, "AuthorizationFailed")
    await assign(arm, other, CONTRIBUTOR, GROUP)
    (contributor,) = (await other.get(f"{GROUP}/{PERMISSIONS}"))["value"]
    assert "Microsoft.Authorization/*/Write" in contributor["notActions"]
    # The group's role says nothing about the subscription.
    assert await other.refused("GET", f"{SUBSCRIPTION}/{PERMISSIONS}") == (403, "AuthorizationFailed")


async def test_each_permission_of_a_custom_role_is_answered(arm: Client) -> None:
    name = "0badf00d-0000-4000-8000-00000000000c"
    permissions = [
        {"actions": ["Microsoft.Test/*"], "notActions": ["Microsoft.Test/*/delete"]},
        {"actions": ["*/read"]},
    ]
    await arm.put(
        f"{SUBSCRIPTION}/providers/{DEFINITION_TYPE}/{name}",
        {"properties": {"roleName": "two", "assignableScopes": [SUBSCRIPTION], "permissions": permissions}},
    )
    other = arm.other("other")
    await assign(arm, other, name, SUBSCRIPTION)
    found = (await other.get(f"{GROUP}/{PERMISSIONS}"))["value"]
    assert [(each["actions"], each["notActions"]) for each in found] == [
        (["Microsoft.Test/*"], ["Microsoft.Test/*/delete"]),
        (["*/read"], []),
    ]


async def test_sizes_are_filtered_by_region_only(arm: Client) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus"
    everywhere = (await arm.get(path))["value"]
    here = (await arm.get(path, query={"$filter": "location eq 'westeurope'"}))["value"]
    assert {sku["locations"][0] for sku in everywhere} == set(REGIONS)
    assert {sku["locations"][0] for sku in here} == {"westeurope"}
    size = next(sku for sku in here if sku["name"] == "Standard_D8ads_v5")
    assert size["family"] == "standardDADSv5Family"
    assert {"name": "vCPUs", "value": "8"} in size["capabilities"]
    status, _ = await arm.refused("GET", path, query={"$filter": "family eq 'x'"})
    assert status == 400


def quotas(world: World, region: str) -> Any:
    answer = world.operate(UsageHandler, "GET", "/usages", location=region)
    return {one["name"]["value"]: (one["currentValue"], one["limit"]) for one in answer.body["value"]}


def test_quotas_count_the_pools_of_the_region(world: World) -> None:
    cluster = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/one"
    stored: list[tuple[str, dict[str, Any]]] = [
        (cluster, {"location": "westeurope"}),
        (f"{cluster}/agentPools/system", {"properties": {"vmSize": "Standard_D2ads_v5", "count": 2}}),
        (f"{cluster}/agentPools/user", {"properties": {"vmSize": "Standard_E8s_v5", "count": 3}}),
        (f"{cluster}/agentPools/odd", {"properties": {"vmSize": "Standard_NC4as_T4_v3", "count": 1}}),
    ]
    store(world, stored)
    here, there = quotas(world, "West Europe"), quotas(world, "northeurope")
    assert here["cores"] == (28, REGIONAL_LIMIT)
    assert here["standardDADSv5Family"] == (4, FAMILY_LIMIT)
    assert here["standardESv5Family"] == (24, FAMILY_LIMIT)
    assert Counter(used for used, _ in there.values()) == {0: len(there)}


def store(world: World, stored: list[tuple[str, dict[str, Any]]]) -> None:

    for path, body in stored:
        world.store.save(Resource(parse_id(path), body, 0, 0))


def test_cosmos_db_takes_accounts_in_every_region(world: World) -> None:
    listed = world.operate(LocationHandler, "GET", "/locations").body["value"]
    assert [one["name"] for one in listed] == list(REGIONS)
    one = world.operate(LocationHandler, "GET", "/{location}", location="West Europe").body
    assert one in listed
    assert one["properties"]["isSubscriptionRegionAccessAllowedForAz"] is True


def test_every_listed_objective_of_sql_can_be_had(world: World) -> None:
    body = world.operate(CapabilityHandler, "GET", "/capabilities", location="westeurope").body
    (version,) = body["supportedServerVersions"]
    objectives = {
        one["name"]: (edition["name"], one["zoneRedundant"])
        for edition in version["supportedEditions"]
        for one in edition["supportedServiceLevelObjectives"]
    }
    assert objectives["GP_Gen5_2"] == ("GeneralPurpose", True)
    assert objectives["S0"] == ("Standard", False)
    with pytest.raises(ArmError):
        world.operate(CapabilityHandler, "GET", "/capabilities", location="atlantis")
