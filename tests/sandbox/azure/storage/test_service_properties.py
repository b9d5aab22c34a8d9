"""What services keep, and lifecycle rules: defaults, bounds, and what is said of the parts without effect."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.storage.lifecycle_policies import ManagementPolicyHandler
from sandbox.azure.storage.service_properties import BlobServiceHandler, QueueServiceHandler
from tests.sandbox.azure.conftest import World, make_world
from tests.sandbox.azure.storage.conftest import ACCOUNT

BLOB_SERVICE = f"{ACCOUNT}/blobServices/default"
QUEUE_SERVICE = f"{ACCOUNT}/queueServices/default"
RULES = f"{ACCOUNT}/managementPolicies/default"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


async def put(world: World, **properties: Any) -> Any:
    return await world.aput(BlobServiceHandler, BLOB_SERVICE, {"properties": properties})


async def test_defaults_are_shown_without_having_been_set(world: World) -> None:
    service = await put(world)
    service.body["properties"] = {}
    shown = (await BlobServiceHandler(world.services).view(service))["properties"]
    assert shown["deleteRetentionPolicy"] == {"allowPermanentDelete": False, "enabled": False}
    assert shown["cors"] == {"corsRules": []}
    queue = await world.aput(QueueServiceHandler, QUEUE_SERVICE, {"properties": {}})
    assert queue.properties == {"cors": {"corsRules": []}}


async def test_the_log_tells_what_has_no_effect(world: World, caplog: pytest.LogCaptureFixture) -> None:
    kept = {"enabled": True, "days": 7}
    with caplog.at_level(logging.WARNING):
        await put(world, isVersioningEnabled=True, deleteRetentionPolicy=kept)
    assert "isVersioningEnabled, deleteRetentionPolicy have no effect here" in caplog.text
    caplog.clear()
    await put(world, isVersioningEnabled=False)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"deleteRetentionPolicy": {"enabled": True}}, "properties.deleteRetentionPolicy.days"),
        ({"deleteRetentionPolicy": {"enabled": True, "days": 366}}, "properties.deleteRetentionPolicy.days"),
        (
            {"containerDeleteRetentionPolicy": {"enabled": True, "days": 0}},
            "properties.containerDeleteRetentionPolicy.days",
        ),
        ({"changeFeed": {"enabled": True, "retentionInDays": 0}}, "properties.changeFeed.retentionInDays"),
        ({"restorePolicy": {"enabled": True, "days": 1}}, "properties.restorePolicy"),
        (
            {
                "isVersioningEnabled": True,
                "changeFeed": {"enabled": True},
                "deleteRetentionPolicy": {"enabled": True, "days": 7},
                "restorePolicy": {"enabled": True, "days": 7},
            },
            "properties.restorePolicy.days",
        ),
    ],
)
async def test_bounds(world: World, properties: dict[str, Any], target: str) -> None:
    with pytest.raises(ArmError) as refused:
        await put(world, **properties)
    assert (refused.value.status, refused.value.target) == (400, target)


def rule(**changes: Any) -> dict[str, Any]:
    definition = {
        "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}},
        "filters": {"blobTypes": ["blockBlob"]},
    }
    return {"name": "old", "type": "Lifecycle", "definition": definition, **changes}


async def test_lifecycle_rules_are_stored_and_on_by_default(world: World) -> None:
    body = {"properties": {"policy": {"rules": [rule()]}}}
    policy = await world.aput(ManagementPolicyHandler, RULES, body)
    assert policy.properties["policy"]["rules"][0]["enabled"] is True
    assert policy.properties["lastModifiedTime"]


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(), rule(name="OLD")],
        [rule(name="not a name")],
        [rule(definition={"actions": {}, "filters": {"blobTypes": ["blockBlob"]}})],
        [rule(definition={"actions": {"baseBlob": {"delete": {}}}, "filters": {"blobTypes": ["pageBlob"]}})],
        [rule(definition={"actions": {"baseBlob": {"delete": {}}}})],
    ],
)
async def test_lifecycle_rules_that_are_refused(world: World, rules: list[dict[str, Any]]) -> None:
    with pytest.raises(ArmError):
        await world.aput(ManagementPolicyHandler, RULES, {"properties": {"policy": {"rules": rules}}})
