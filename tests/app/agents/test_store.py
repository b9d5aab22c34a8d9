"""The store without an outbox: pages, executions of one cause, and what it says of events."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from app.agents.store import ContinuationError, ExecutionsOnly
from app.events.event import Event
from app.store.executions import Execution, StoreError
from tests.app.agents.test_declaration import _execution


class Documents:
    """`ExecutionStore` in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Execution] = {}
        self.error: StoreError | None = None

    async def save(self, execution: Execution) -> None:
        self.kept[execution.id] = execution

    async def find(self, agent: str, execution_id: str) -> Execution | None:
        found = self.kept.get(execution_id)
        return found if found and found.agent == agent else None

    async def list(self, agent: str, limit: int, after: str | None) -> tuple[list[Execution], str | None]:
        if self.error:
            raise self.error
        return list(self.kept.values())[:limit], "more"


@pytest.fixture
def documents() -> Documents:
    return Documents()


@pytest.fixture
def store(documents: Any) -> ExecutionsOnly:
    return ExecutionsOnly(documents)


async def test_of_one_cause_the_first_execution_is_kept(store: ExecutionsOnly, documents: Documents) -> None:
    first = (await store.record(_execution("P0"), once="event:1")).execution
    again = (await store.record(_execution("P1"), once="event:1")).execution
    assert again == first == await store.find_once("servicedesk", "event:1")
    assert first.output == {"priority": "P0"}
    assert await store.find_once("devops", "event:1") is None
    await store.record(_execution("P1"), once="event:2")
    await store.record(_execution("P2"))
    assert len(documents.kept) == 3


async def test_an_event_that_goes_nowhere_is_said(
    store: ExecutionsOnly, caplog: pytest.LogCaptureFixture
) -> None:
    event = Event(
        id="e-1", source="/agents/servicedesk", type="agents.servicedesk.seen", data={"a": "secret"}
    )
    with caplog.at_level(logging.WARNING):
        await store.record(_execution(), [event])
    assert "event e-1 of type agents.servicedesk.seen is not published" in caplog.text
    assert "secret" not in caplog.text


async def test_a_continuation_of_nothing_is_told_from_a_store_that_fails(
    store: ExecutionsOnly, documents: Documents
) -> None:
    await store.record(_execution())
    page = await store.list("servicedesk", 1)
    assert (len(page.executions), page.after) == (1, "more")
    documents.error = StoreError("bad continuation", 400)
    with pytest.raises(ContinuationError):
        await store.list("servicedesk", 1, "nonsense")
    with pytest.raises(StoreError):
        await store.list("servicedesk", 1)
