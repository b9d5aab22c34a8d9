"""Questions are asked once, in full, and refusals are told apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from infra.preflight.arm import Arm, AskError


def test_a_listing_is_read_to_its_last_page() -> None:
    pages = {
        "/things?api-version=1": {"value": [{"n": 1}], "nextLink": "https://arm/things?page=2"},
        "https://arm/things?page=2": {"value": [{"n": 2}], "nextLink": "https://arm/things?page=3"},
        "https://arm/things?page=3": {"value": [{"n": 3}], "nextLink": None},
    }
    assert Arm(pages.__getitem__).list("/things", "1") == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_side_by_side_the_same_question_is_asked_once() -> None:
    asked: list[str] = []
    together = Barrier(4)

    def get(url: str) -> Any:
        asked.append(url)
        return {"value": [url]}

    arm = Arm(get)

    def ask(_: int) -> Any:
        together.wait(10)
        return arm.list("/things", "1")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert len(asked) == 1
    assert answers == [answers[0]] * 4


def refusing(error: Exception) -> Arm:
    def get(_: str) -> Any:
        raise error

    return Arm(get)


def test_only_what_is_not_there_is_none() -> None:
    assert refusing(AskError("no", 404)).find("/thing", "1") is None
    for status in (403, 500, None):
        with pytest.raises(AskError):
            refusing(AskError("no", status)).find("/thing", "1")


def test_a_refusal_is_not_asked_for_again() -> None:
    count = 0

    def get(_: str) -> Any:
        nonlocal count
        count += 1
        raise AskError("no", 403)

    arm = Arm(get)
    for _ in range(2):
        with pytest.raises(AskError):
            arm.read("/thing", "1")
    assert count == 1


def test_a_defect_is_not_waited_for() -> None:
    arm = refusing(RuntimeError("a defect"))
    with pytest.raises(RuntimeError):
        arm.read("/thing", "1")
    with pytest.raises(AskError, match="a defect"):
        arm.read("/thing", "1")
