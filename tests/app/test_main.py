"""The application's life: what runs beside the requests begins and ends with it."""

from __future__ import annotations

import asyncio
from typing import Any

from app.background import beside
from app.main import create_app
from tests.app.conftest import FakeRouter, FakeStore, make_agent


class Service:
    name = "service"

    def __init__(self) -> None:
        self.closed = False

    async def check(self) -> None: ...

    async def close(self) -> None:
        self.closed = True


async def test_what_runs_beside_the_requests_ends_before_the_clients_are_closed() -> None:
    llm: Any = FakeRouter()
    store: Any = FakeStore()
    service, told = Service(), []
    running = asyncio.Event()

    async def work() -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            told.append(f"ended while the service was {'closed' if service.closed else 'open'}")

    app = create_app(make_agent(llm, store), [service], work=[beside(work)])
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(running.wait(), 10)
        assert not service.closed
    assert told == ["ended while the service was open"]
    assert service.closed
