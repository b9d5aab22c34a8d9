"""Asynchronous operations: their status, their failures, and that a kill does not lose them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.arm.handlers import HANDLERS, Gate
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, Client, running

SLOW = f"{GROUP}/providers/Microsoft.Test/slow/one"
BODY: dict[str, Any] = {"location": "westeurope", "properties": {}}


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def ended(arm: Client, url: str) -> Any:
    """The final status at an Azure-AsyncOperation URL."""
    status: Any = {}

    async def over() -> object:
        status.update(await arm.get(url))
        return status["status"] != "InProgress"

    await until(over)
    return status


async def test_a_long_running_put(arm: Client, group: str, gate: Gate) -> None:
    answer = await arm.put(SLOW, BODY)
    assert answer.status_code == 201
    assert answer.json()["properties"]["provisioningState"] == "Creating"
    assert int(answer.headers["retry-after"]) >= 1
    status_url, result_url = answer.headers["azure-asyncoperation"], answer.headers["location"]

    async def reported() -> object:
        return (await arm.get(status_url)).get("percentComplete") == 40

    await until(reported)
    assert (await arm.ask("GET", result_url)).status_code == 202
    assert await arm.refused("PUT", SLOW, BODY) == (409, "AnotherOperationInProgress")
    gate.open.set()
    status = await ended(arm, status_url)
    assert status["status"] == "Succeeded"
    assert status["endTime"] >= status["startTime"]
    assert (await arm.ask("GET", result_url)).status_code == 200
    made = await arm.get(SLOW)
    assert made["properties"] == {"endpoint": "https://one", "provisioningState": "Succeeded"}


async def test_failures_are_told(arm: Client, group: str, gate: Gate) -> None:
    gate.open.set()
    answer = await arm.put(SLOW, {**BODY, "properties": {"fails": True}})
    status = await ended(arm, answer.headers["azure-asyncoperation"])
    assert (status["status"], status["error"]["code"]) == ("Failed", "OutOfCapacity")
    assert (await arm.get(SLOW))["properties"]["provisioningState"] == "Failed"
    broken = await arm.put(SLOW, {**BODY, "properties": {"breaks": True}})
    status = await ended(arm, broken.headers["azure-asyncoperation"])
    assert status["error"]["code"] == "InternalServerError"
    healed = await arm.put(SLOW, BODY)
    assert (await ended(arm, healed.headers["azure-asyncoperation"]))["status"] == "Succeeded"


async def test_a_delete_preempts_a_creation(arm: Client, group: str, gate: Gate) -> None:
    made = await arm.put(SLOW, BODY)
    deleted = await arm.ask("DELETE", SLOW)
    assert deleted.status_code == 202
    again = await arm.ask("DELETE", SLOW)
    assert again.headers["azure-asyncoperation"] == deleted.headers["azure-asyncoperation"]
    assert await arm.refused("PUT", SLOW, BODY) == (409, "ResourceBeingDeleted")
    assert (await ended(arm, made.headers["azure-asyncoperation"]))["status"] == "Canceled"
    gate.open.set()
    assert (await ended(arm, deleted.headers["azure-asyncoperation"]))["status"] == "Succeeded"
    assert (await arm.ask("HEAD", SLOW)).status_code == 404
    assert (await arm.ask("GET", deleted.headers["location"])).status_code == 204


async def test_a_group_takes_everything_with_it(arm: Client, group: str, gate: Gate) -> None:
    thing = f"{GROUP}/providers/Microsoft.Test/things/one"
    await arm.put(thing, BODY)
    await arm.put(f"{thing}/parts/left", {})
    await arm.put(SLOW, BODY)
    answer = await arm.ask("DELETE", GROUP)
    assert (answer.status_code, answer.content) == (202, b"")
    assert (await arm.get(GROUP))["properties"]["provisioningState"] == "Deleting"
    assert await arm.refused("PUT", f"{thing}2", BODY) == (409, "ResourceGroupBeingDeleted")
    gate.open.set()
    assert (await ended(arm, answer.headers["azure-asyncoperation"]))["status"] == "Succeeded"
    assert (await arm.get(f"{SUBSCRIPTION}/resources"))["value"] == []
    assert await arm.refused("GET", GROUP) == (404, "ResourceGroupNotFound")
    assert await arm.refused("DELETE", GROUP) == (404, "ResourceGroupNotFound")


async def test_a_group_whose_member_refuses_is_rolled_back(arm: Client, group: str, gate: Gate) -> None:
    thing = f"{GROUP}/providers/Microsoft.Test/things/one"
    await arm.put(thing, BODY)
    gate.refuse_deletes.add("one")
    answer = await arm.ask("DELETE", GROUP)
    status = await ended(arm, answer.headers["azure-asyncoperation"])
    assert (status["status"], status["error"]["code"]) == ("Failed", "ResourceGroupDeletionBlocked")
    assert "InUse" in str(status["error"]["details"])
    assert (await arm.get(GROUP))["properties"]["provisioningState"] == "Succeeded"
    await arm.put(f"{thing}2", BODY)


async def test_unfinished_work_is_taken_up_at_the_next_start(
    tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, handlers=HANDLERS) as arm:
        monkeypatch.setattr(arm.cloud._operations, "settle", _killed)
        await arm.put(GROUP, {"location": "westeurope"})
        done = GROUP + "/providers/Microsoft.Test/slow/done"
        gate.open.set()
        await ended(arm, (await arm.put(done, BODY)).headers["azure-asyncoperation"])
        gate.open.clear()
        creating = (await arm.put(SLOW, BODY)).headers["azure-asyncoperation"]
        deleting = (await arm.ask("DELETE", done)).headers["azure-asyncoperation"]
        for task in list(arm.cloud._operations._tasks.values()):
            task.cancel()
    gate.log.clear()
    gate.open.set()
    async with running(tmp_path, handlers=HANDLERS) as arm:
        assert (await ended(arm, creating))["status"] == "Succeeded"
        assert (await ended(arm, deleting))["status"] == "Succeeded"
        assert (await arm.get(SLOW))["properties"]["endpoint"] == "https://one"
        assert (await arm.ask("HEAD", done)).status_code == 404
        assert sorted(gate.log) == ["delete done", "provision one"]
    gate.log.clear()
    async with running(tmp_path, handlers=HANDLERS):
        assert gate.log == ["resume one"]


async def _killed(_seconds: float) -> None:
    """What happens to running work in a kill: nothing."""


async def test_long_running_operations_of_providers(arm: Client) -> None:
    path = f"{SUBSCRIPTION}/providers/Microsoft.Test/checkNameSlowly"
    answer = await arm.ask("POST", path, {"name": "two"})
    assert answer.status_code == 202
    status = await ended(arm, answer.headers["azure-asyncoperation"])
    assert status["properties"] == {"available": True}
    assert (await arm.ask("GET", answer.headers["location"])).json() == {"available": True}


async def test_unknown_operations(arm: Client) -> None:
    url = f"{SUBSCRIPTION}/providers/Microsoft.Test/locations/westeurope/operationStatuses/none"
    assert await arm.refused("GET", url) == (404, "OperationNotFound")
