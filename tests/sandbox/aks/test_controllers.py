"""A cluster's controllers end when they are told to, whatever they are doing at that moment."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from sandbox.aks import controllers, ingress, watching
from sandbox.aks.controllers import Controllers
from sandbox.aks.controlplane import ControlPlane


class _Api:
    """Never answers."""

    def __init__(self, _: object) -> None:
        self.closed = False

    async def get(self, path: str, query: object = None) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError(path)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Controllers:
    monkeypatch.setattr(controllers, "Api", _Api)
    monkeypatch.setattr(ingress, "Ingress", lambda *_: None)
    return Controllers(cast("ControlPlane", object()))


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(6))
async def test_they_end_when_something_changes_at_the_same_moment(made: Controllers, turns: int) -> None:
    """`turns` of the loop lie between the change and the end."""
    made.start()
    made._changed.clear()
    await _turns(5)
    made.wake()
    await _turns(turns)
    ended, _ = await asyncio.wait([asyncio.create_task(made.stop())], timeout=2)
    assert ended


async def test_a_watch_that_broke_does_not_keep_them_from_ending(
    made: Controllers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("not JSON")

    monkeypatch.setattr(watching, "watch", broken)
    made.start()
    await asyncio.sleep(0)
    await made.stop()
    assert cast("_Api", made._api).closed
