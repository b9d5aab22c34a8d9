"""Requests to ARM: what is repeated, what is followed, what is told."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox.engine.azure_native.arm_client import ArmClient, RefusedError
from tests.sandbox.engine.azure_native.fake_arm import URL, FakeTokens

THING = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Test/things/one"
OPERATION = f"{URL}/operations/1"
Answers = list[httpx.Response | Exception]


class Line:
    """A client whose answers are given in order, and what it did."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.slept: list[float] = []
        self.tokens = FakeTokens()
        transport = httpx.MockTransport(self._answer)
        self.client = ArmClient(httpx.Client(transport=transport), URL, self.tokens, self.slept.append)  # type: ignore[arg-type]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url}")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def error(status: int, code: str, **more: Any) -> httpx.Response:
    return answer(status, {"error": {"code": code, "message": "no", **more}})


def test_a_throttled_request_waits_as_told() -> None:
    line = Line(answer(429, Retry_After="7"), answer(503), answer(200, {"a": 1}))
    assert line.client.get(THING, "2024-01-01") == {"a": 1}
    assert line.slept[0] == 7
    assert len(line.asked) == 3


def test_a_failure_of_the_service_is_tried_again_a_few_times() -> None:
    line = Line(*[error(500, "InternalServerError")] * 3, answer(200, {"a": 1}))
    assert line.client.get(THING, "2024-01-01") == {"a": 1}
    line = Line(*[error(500, "InternalServerError")] * 4)
    with pytest.raises(RefusedError, match="InternalServerError"):
        line.client.get(THING, "2024-01-01")
    assert len(line.asked) == 4


def test_a_lost_connection_is_tried_again() -> None:
    line = Line(httpx.ConnectError("refused"), answer(200, {"a": 1}))
    assert line.client.get(THING, "2024-01-01") == {"a": 1}


def test_a_cloud_that_is_down_is_named() -> None:
    line = Line(*[httpx.ConnectError("refused")] * 10)
    with pytest.raises(RefusedError, match=r"does not answer: refused\. Is the cloud up"):
        line.client.get(THING, "2024-01-01")


def test_a_token_that_is_refused_is_fetched_anew_once() -> None:
    line = Line(error(401, "InvalidAuthenticationToken"), answer(200, {"a": 1}))
    assert line.client.get(THING, "2024-01-01") == {"a": 1}
    assert line.tokens.forgotten == 1
    line = Line(error(401, "InvalidAuthenticationToken"), error(401, "InvalidAuthenticationToken"))
    with pytest.raises(RefusedError):
        line.client.get(THING, "2024-01-01")


def test_what_is_not_there_is_none() -> None:
    assert Line(error(404, "ResourceNotFound")).client.get(THING, "2024-01-01") is None


def test_an_error_keeps_its_details() -> None:
    inner = {"code": "Inner", "message": "deep", "target": "properties.a"}
    line = Line(error(400, "Outer", target="properties", details=[inner]))
    with pytest.raises(RefusedError) as found:
        line.client.send("PUT", THING, "2024-01-01", {})
    assert (found.value.code, found.value.target) == ("Outer", "properties")
    assert [(item.code, item.target) for item in found.value.details] == [("Inner", "properties.a")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"error": "text"}'])
def test_an_error_in_another_shape_is_told_too(body: bytes) -> None:
    line = Line(httpx.Response(400, content=body))
    with pytest.raises(RefusedError) as found:
        line.client.send("GET", THING, "2024-01-01")
    assert found.value.status == 400
    assert found.value.message


@pytest.mark.parametrize("header", ["Azure_AsyncOperation", "Operation_Location"])
def test_an_operation_is_followed(header: str) -> None:
    line = Line(answer(200, {"status": "InProgress"}, Retry_After="3"), answer(200, {"status": "Succeeded"}))
    first = answer(201, {}, **{header: OPERATION, "Retry_After": "2"})
    line.client.finish(first, THING, "2024-01-01")
    assert line.slept == [2, 3]
    assert line.asked == [f"GET {OPERATION}"] * 2


def test_a_failed_operation_is_an_error() -> None:
    body = {"status": "Failed", "error": {"code": "QuotaExceeded", "message": "no"}}
    line = Line(answer(200, body))
    with pytest.raises(RefusedError, match="QuotaExceeded"):
        line.client.finish(answer(201, {}, Azure_AsyncOperation=OPERATION), THING, "2024-01-01")


def test_a_cancelled_operation_is_an_error() -> None:
    line = Line(answer(200, {"status": "Canceled"}))
    with pytest.raises(RefusedError, match="ended as 'canceled'"):
        line.client.finish(answer(202, Azure_AsyncOperation=OPERATION), THING, "2024-01-01", deleting=True)


def test_a_location_is_followed() -> None:
    line = Line(answer(202, Location=f"{URL}/operations/2"), answer(204))
    line.client.finish(answer(202, Location=OPERATION), THING, "2024-01-01", deleting=True)
    assert line.asked == [f"GET {OPERATION}", f"GET {URL}/operations/2"]


@pytest.mark.parametrize(("last", "fails"), [("Succeeded", False), ("Failed", True), ("Canceled", True)])
def test_a_provisioning_state_is_followed(last: str, fails: bool) -> None:
    def state(name: str) -> httpx.Response:
        return answer(200, {"properties": {"provisioningState": name}})

    line = Line(state("Updating"), state(last))
    run: Callable[[], None] = lambda: line.client.finish(state("Creating"), THING, "2024-01-01")  # noqa: E731
    if fails:
        with pytest.raises(RefusedError, match=f"provisioningState is '{last}'"):
            run()
    else:
        run()
    assert len(line.asked) == 2
