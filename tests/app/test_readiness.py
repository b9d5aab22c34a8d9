from __future__ import annotations

import httpx

from app.main import create_app
from app.readiness import Readiness
from app.store.errors import StoreError
from tests.app.conftest import FakeRouter, FakeStore, make_agent


def _client(readiness: Readiness, store: FakeStore) -> httpx.AsyncClient:
    agent = make_agent(FakeRouter(), store)
    transport = httpx.ASGITransport(create_app(agent, readiness=readiness))
    return httpx.AsyncClient(transport=transport, base_url="http://agent")


async def test_a_process_that_leaves_is_not_ready_but_alive() -> None:
    readiness = Readiness()
    async with _client(readiness, FakeStore()) as client:
        assert (await client.get("/readyz")).status_code == 200
        readiness.drain()
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})
        assert (await client.get("/healthz")).status_code == 200


async def test_a_condition_takes_the_process_out_and_back_in() -> None:
    faults = ["no usable prompt"]
    readiness = Readiness([lambda: None, lambda: faults[0] if faults else None])
    async with _client(readiness, FakeStore()) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "no usable prompt"})
        faults.clear()
        assert (await client.get("/readyz")).status_code == 200


async def test_the_outage_of_a_dependency_leaves_the_process_ready() -> None:
    store = FakeStore()
    store.error = StoreError("away", 503)
    async with _client(Readiness(), store) as client:
        assert (await client.get("/api/notification/health")).status_code == 503
        assert (await client.get("/readyz")).status_code == 200


def test_the_time_to_leave_runs_from_the_first_word() -> None:
    now = [100.0]
    readiness = Readiness(clock=lambda: now[0])
    assert not readiness.drained_for(0)
    readiness.drain()
    assert readiness.drained_for(0)
    now[0] = 109.9
    readiness.drain()
    assert not readiness.drained_for(10)
    now[0] = 110.0
    assert readiness.drained_for(10)
