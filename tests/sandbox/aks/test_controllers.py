"""A cluster's controllers end when they are told to, whatever they are doing at that moment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandbox.aks import controllers, ingress, loop, watching
from sandbox.aks.api import ApiError
from sandbox.aks.controllers import Controllers
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.loop import Loop
from sandbox.config import Config


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
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Controllers:
    monkeypatch.setattr(controllers, "Api", _Api)
    monkeypatch.setattr(ingress, "Ingress", lambda *_: None)
    services = SimpleNamespace(ca=None, config=None)
    settings = SimpleNamespace(name="one", network_policy=None)
    layout = SimpleNamespace(policy_socket=tmp_path / "policies.sock", nodes=list)
    plane = SimpleNamespace(services=services, settings=settings, layout=layout)
    return Controllers(cast("ControlPlane", plane))


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


async def test_a_failed_round_is_tried_again_and_a_defect_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "_RETRY", 0.01)
    done = asyncio.Event()
    failures = [ApiError(500, "no"), ValueError("odd object")]

    async def reconcile() -> float:
        if failures:
            raise failures.pop(0)
        done.set()
        return 60.0

    task = asyncio.create_task(Loop("trial", asyncio.Event(), reconcile).run())
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_the_public_sees_published_names_and_the_wildcard(tmp_path: Path) -> None:
    config = Config(state=tmp_path, suffix="azure.test")
    config.run.mkdir()
    (config.run / "hosts").write_text("10.77.40.9 agents.azure.test\n")
    found = {
        name: controllers.public_address(config, name)
        for name in ("agents.azure.test", "other.azure.test", "azure.test", "example.com", "notazure.test")
    }
    assert found == {
        "agents.azure.test": "10.77.40.9",
        "other.azure.test": str(config.gateway),
        "azure.test": str(config.gateway),
        "example.com": None,
        "notazure.test": None,
    }
