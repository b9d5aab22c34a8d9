"""Resource Manager during an outage: what is in the region is refused, what is global or elsewhere works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from sandbox.arm.handler import Handler
from sandbox.arm.resource import Resource
from tests.sandbox.arm.handlers import HANDLERS, Gate
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, THING, Client, running

WEST, NORTH = {"location": "westeurope"}, {"location": "northeurope"}
OTHER = THING.replace("/one", "/two")
UNAVAILABLE = (503, "ServiceUnavailable")
ROLE = (
    f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
)


class Machine(Handler):
    """Something with a process: notes what it is told."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities"
    log: ClassVar[list[str]] = []

    async def lost(self, resource: Resource, region: str) -> None:
        self.log.append(f"{resource.id.name} lost {region}")

    async def resume(self, resource: Resource) -> None:
        self.log.append(f"{resource.id.name} resumed")


@pytest.fixture
async def arm(tmp_path: Path) -> AsyncIterator[Client]:
    Gate.current = Gate()
    Gate.current.open.set()
    async with running(tmp_path, handlers=HANDLERS) as client:
        await client.put(GROUP, WEST)
        await client.put(THING, WEST)
        await client.put(OTHER, NORTH)
        await client.put(f"{THING}/parts/p", {})
        yield client


async def outage(arm: Client, what: str, region: str = "westeurope") -> None:
    await arm.cloud.commands()[f"outage {what}"]({"region": region})


async def comes(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to be in 5 s")


async def end_of(arm: Client, answer: httpx.Response) -> dict[str, Any]:
    """How an operation ended."""
    told: dict[str, Any] = {}
    for _ in range(500):
        told = await arm.get(answer.headers["Azure-AsyncOperation"])
        if told["status"] != "InProgress":
            return told
        await asyncio.sleep(0.01)
    raise AssertionError(told)


async def test_requests_for_what_is_there_are_refused(arm: Client) -> None:
    await outage(arm, "begin")
    for method, path, body in (
        ("GET", THING, None),
        ("PUT", THING, WEST),
        ("PATCH", THING, {"tags": {"a": "b"}}),
        ("DELETE", THING, None),
        ("POST", f"{THING}/listKeys", None),
        ("GET", f"{THING}/parts/p", None),
        ("GET", f"{THING}/parts", None),
        ("PUT", f"{THING}/parts/q", {}),
        ("PUT", THING.replace("/one", "/new"), {"location": "West Europe"}),
    ):
        assert await arm.refused(method, path, body) == UNAVAILABLE, (method, path)
    answer = await arm.ask("GET", THING)
    assert answer.json()["error"]["message"] == (
        "The resource provider 'Microsoft.Test' is temporarily unavailable in the region 'westeurope'. "
        "Please try again later."
    )
    assert (await arm.ask("HEAD", THING)).status_code == 503
    await outage(arm, "end")
    assert "a" not in (await arm.get(THING)).get("tags", {})
    assert (await arm.ask("GET", f"{THING}/parts/q")).status_code == 404
    await arm.put(THING, WEST)


async def test_what_is_global_or_elsewhere_works(arm: Client) -> None:
    await outage(arm, "begin")
    await arm.put(OTHER, NORTH)
    assert (await arm.ask("POST", f"{OTHER}/listKeys")).status_code == 200
    await arm.put(THING.replace("/one", "/three"), NORTH)
    assert (await arm.get(GROUP))["location"] == "westeurope"
    await arm.put(GROUP, {**WEST, "tags": {"a": "b"}})
    assert [one["name"] for one in (await arm.get(THING.rpartition("/")[0]))["value"]] == [
        "one",
        "three",
        "two",
    ]
    listed = (await arm.get(f"{GROUP}/resources"))["value"]
    assert "one" in [one["name"] for one in listed]
    assignment = (
        f"{THING}/providers/Microsoft.Authorization/roleAssignments/{'1' * 8}-1111-1111-1111-{'1' * 12}"
    )
    body = {
        "properties": {
            "roleDefinitionId": ROLE,
            "principalId": arm.object_id,
            "principalType": "ServicePrincipal",
        }
    }
    await arm.put(assignment, body)
    assert (await arm.ask("DELETE", assignment)).status_code == 200


async def test_who_may_not_see_it_does_not_hear_of_the_outage(arm: Client) -> None:
    await outage(arm, "begin")
    assert await arm.other("nobody").refused("GET", THING) == (403, "AuthorizationFailed")


async def test_a_group_with_something_there_cannot_be_deleted(arm: Client) -> None:
    await outage(arm, "begin")
    answer = await arm.ask("DELETE", GROUP)
    assert answer.status_code == 202
    told = await end_of(arm, answer)
    assert (told["status"], told["error"]["code"]) == ("Failed", "ResourceGroupDeletionBlocked")
    await outage(arm, "end")
    assert (await arm.get(f"{THING}/parts/p"))["name"] == "p"


async def test_an_outage_outlives_the_process_and_what_is_there_is_not_brought_back(tmp_path: Path) -> None:
    Machine.log.clear()
    west = f"{GROUP}/providers/{Machine.type}/west"
    async with running(tmp_path, handlers=[Machine]) as arm:
        await arm.put(GROUP, WEST)
        await arm.put(west, WEST)
        await arm.put(west.replace("/west", "/north"), NORTH)
        await outage(arm, "begin")
        assert Machine.log == ["west lost westeurope"]
    Machine.log.clear()
    async with running(tmp_path, handlers=[Machine]) as arm:
        assert sorted(Machine.log) == ["north resumed", "west lost westeurope"]
        assert await arm.refused("GET", west) == UNAVAILABLE
        Machine.log.clear()
        await outage(arm, "end")
        await comes(lambda: Machine.log == ["west resumed"])
        assert (await arm.get(west))["name"] == "west"
    async with running(tmp_path, handlers=[Machine]) as arm:
        assert (await arm.get(west))["name"] == "west"


async def test_a_creation_under_way_ends_once(arm: Client) -> None:
    """It began before the outage: the region's return does not start it a second time."""
    slow = f"{GROUP}/providers/Microsoft.Test/slow/one"
    Gate.current.open.clear()
    begun = await arm.put(slow, WEST)
    await comes(lambda: Gate.current.log == ["provision one"])
    await outage(arm, "begin")
    await outage(arm, "end")
    Gate.current.open.set()
    assert (await end_of(arm, begun))["status"] == "Succeeded"
    assert Gate.current.log.count("provision one") == 1
