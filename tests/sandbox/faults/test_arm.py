"""Faults of Resource Manager: refusals, failing operations and hangs, where they are meant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.arm.handlers import HANDLERS, Gate
from tests.sandbox.clouds import GROUP, THING, VERSION, Client, running

BODY = {"location": "westeurope"}
SLOW = f"{GROUP}/providers/Microsoft.Test/slow/one"
TYPE = "Microsoft.Test/things"


@pytest.fixture
async def arm(tmp_path: Path) -> AsyncIterator[Client]:
    Gate.current = Gate()
    Gate.current.open.set()
    async with running(tmp_path, handlers=HANDLERS) as client:
        await client.put(GROUP, BODY)
        yield client


def fault(arm: Client, **given: Any) -> None:
    arm.cloud.commands()["fault add"]({"target": "arm", **given})


@pytest.mark.parametrize(
    ("status", "code"),
    [(409, "Conflict"), (429, "TooManyRequests"), (500, "InternalServerError"), (404, "NotFound")],
)
async def test_a_status_in_arms_own_shape(arm: Client, status: int, code: str) -> None:
    fault(arm, type=TYPE, method="PUT", status=status, times=1, retry_after=3)
    answer = await arm.ask("PUT", THING, BODY)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert (await arm.ask("GET", THING)).status_code == 404, "nothing was made"
    await arm.put(THING, BODY)


async def test_only_what_it_is_meant_for_is_hit(arm: Client) -> None:
    fault(arm, type="microsoft.test/*", name="o*", method="delete", status=409)
    await arm.put(THING, BODY)
    other = THING.replace("/one", "/two")
    await arm.put(other, BODY)
    assert await arm.refused("DELETE", THING) == (409, "Conflict")
    assert (await arm.ask("DELETE", other)).status_code == 200
    assert (await arm.ask("GET", GROUP)).status_code == 200
    assert await arm.refused("DELETE", THING) == (409, "Conflict"), "until it is cleared"
    arm.cloud.commands()["fault clear"]({})
    assert (await arm.ask("DELETE", THING)).status_code == 200


async def test_actions_are_those_of_the_resource_they_act_on(arm: Client) -> None:
    await arm.put(THING, BODY)
    fault(arm, type=TYPE, method="POST", status=503, code="Busy", message="later")
    answer = await arm.ask("POST", f"{THING}/listKeys")
    assert (answer.status_code, answer.json()["error"]) == (503, {"code": "Busy", "message": "later"})


async def _end(arm: Client, answer: httpx.Response) -> dict[str, Any]:
    """How the operation ended."""
    for _ in range(200):
        told: dict[str, Any] = await arm.get(answer.headers["Azure-AsyncOperation"])
        if told["status"] != "InProgress":
            return told
        await asyncio.sleep(0.01)
    raise AssertionError(told)


@pytest.mark.parametrize("path", [THING, SLOW])
async def test_an_operation_that_fails_leaves_a_failed_resource_that_the_next_put_mends(
    arm: Client, path: str
) -> None:
    fault(arm, method="PUT", operation_fails=True, times=1, code="AllocationFailed", message="no capacity")
    answer = await arm.ask("PUT", path, BODY)
    assert answer.status_code in (201, 202)
    told = await _end(arm, answer)
    assert (told["status"], told["error"]) == (
        "Failed",
        {"code": "AllocationFailed", "message": "no capacity"},
    )
    assert (await arm.get(path))["properties"]["provisioningState"] == "Failed"
    again = await arm.put(path, BODY)
    if "Azure-AsyncOperation" in again.headers:
        assert (await _end(arm, again))["status"] == "Succeeded"
    assert (await arm.get(path))["properties"]["provisioningState"] == "Succeeded"


async def test_a_deletion_that_fails_leaves_the_resource(arm: Client) -> None:
    await arm.put(THING, BODY)
    fault(arm, type=TYPE, method="DELETE", operation_fails=True, times=1)
    answer = await arm.ask("DELETE", THING)
    assert answer.status_code == 202
    assert (await _end(arm, answer))["error"]["code"] == "InternalOperationError"
    assert (await arm.get(THING))["properties"]["provisioningState"] == "Failed"
    assert (await arm.ask("DELETE", THING)).status_code == 200


async def test_a_request_that_hangs_is_answered_late(arm: Client) -> None:
    fault(arm, type=TYPE, hang=0.2, times=1)
    started = time.monotonic()
    await arm.put(THING, BODY)
    assert time.monotonic() - started >= 0.2
    await arm.put(THING, BODY)


async def test_a_client_that_gave_up_meanwhile_changed_nothing(arm: Client) -> None:
    fault(arm, type=TYPE, hang=5, times=1)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    heard.put_nowait({"type": "http.request", "body": b'{"location": "westeurope"}', "more_body": False})
    heard.put_nowait({"type": "http.disconnect"})
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    token = await arm.token()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "https",
        "path": THING,
        "raw_path": THING.encode(),
        "query_string": f"api-version={VERSION}".encode(),
        "headers": [(b"host", b"management.azure.test"), (b"authorization", f"Bearer {token}".encode())],
    }
    await asyncio.wait_for(arm.cloud.app(scope, heard.get, send), 3)
    assert said == []
    assert (await arm.ask("GET", THING)).status_code == 404
