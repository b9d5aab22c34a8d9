"""The application's life: what runs beside the requests begins and ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

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

    @asynccontextmanager
    async def part(name: str) -> AsyncIterator[None]:
        told.append(f"{name} begins")
        yield
        told.append(f"{name} ends while the service is {'closed' if service.closed else 'open'}")

    app = create_app(make_agent(llm, store), [service], work=[part("one"), part("two")])
    async with app.router.lifespan_context(app):
        assert told == ["one begins", "two begins"]
    assert told[2:] == ["two ends while the service is open", "one ends while the service is open"]
    assert service.closed
