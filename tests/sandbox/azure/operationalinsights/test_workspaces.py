"""Log Analytics workspaces as resources."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.operationalinsights.workspaces import WorkspaceHandler
from tests.sandbox.azure.conftest import World

PATH = "Microsoft.OperationalInsights/workspaces/log-agents-dev"


def body(**properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": properties}


def test_defaults_and_what_stays(world: World) -> None:
    first = world.put(WorkspaceHandler, PATH, body())
    assert first.properties["sku"]["name"] == "PerGB2018"
    assert first.properties["retentionInDays"] == 30
    again = world.put(WorkspaceHandler, PATH, body(retentionInDays=90))
    for name in ("customerId", "createdDate"):
        assert again.properties[name] == first.properties[name]
    assert again.properties["sku"] == first.properties["sku"]


@pytest.mark.parametrize(
    "properties",
    [
        {"retentionInDays": 29},
        {"retentionInDays": 731},
        {"sku": {"name": "Gold"}},
        {"sku": {"name": "CapacityReservation"}},
        {"sku": {"name": "CapacityReservation", "capacityReservationLevel": 150}},
        {"sku": {"name": "PerGB2018", "capacityReservationLevel": 100}},
    ],
)
def test_what_is_refused(world: World, properties: dict[str, Any]) -> None:
    with pytest.raises(ArmError) as refused:
        world.put(WorkspaceHandler, PATH, body(**properties))
    assert str(refused.value.target).startswith("properties.")


def test_shared_keys(world: World) -> None:
    workspace = world.put(WorkspaceHandler, PATH, body())
    first = world.act(WorkspaceHandler, "sharedKeys", workspace)
    assert first["primarySharedKey"] != first["secondarySharedKey"]
    assert world.act(WorkspaceHandler, "sharedKeys", workspace) == first
    assert world.act(WorkspaceHandler, "regenerateSharedKey", workspace) != first


def test_made_again_within_two_weeks_it_is_the_same(world: World) -> None:
    workspace = world.put(WorkspaceHandler, PATH, body())
    world.delete([WorkspaceHandler], workspace)
    listed = world.operate(
        WorkspaceHandler,
        "GET",
        "/resourceGroups/{group}/providers/Microsoft.OperationalInsights/deletedWorkspaces",
        group="RG",
    )
    assert [one["id"] for one in listed.body["value"]] == [str(workspace.id)]
    back = world.put(WorkspaceHandler, PATH, body())
    assert back.properties["customerId"] == workspace.properties["customerId"]
    assert not list(world.store.deleted(WorkspaceHandler.type))
