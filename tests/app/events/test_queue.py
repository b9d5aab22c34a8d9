"""The storage queue through the SDK, whose client is replaced; and how far behind it says an agent is."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from prometheus_client import REGISTRY

from app.dependency import DependencyError
from app.events.lag import Lag
from app.events.queue import Message, Queue
from app.settings import StorageSettings
from tests.app import virtual
from tests.app.test_health import Credential
from tests.app.virtual import START, Clock


class Client:
    """What the SDK's client is asked; raises `error` if there is one."""

    def __init__(self) -> None:
        self.error: AzureError | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[Any] = []

    async def receive_messages_(self, **options: Any) -> AsyncIterator[Any]:
        self._note("receive", options)
        for message in self.messages:
            yield message

    def receive_messages(self, **options: Any) -> AsyncIterator[Any]:
        return self.receive_messages_(**options)

    async def delete_message(self, name: str, receipt: str) -> None:
        self._note("delete", {"id": name, "receipt": receipt})

    async def get_queue_properties(self) -> Any:
        self._note("properties", {})
        return SimpleNamespace(approximate_message_count=len(self.messages))

    async def peek_messages(self, most: int = 1, **_: Any) -> list[Any]:
        self._note("peek", {})
        return self.messages[:most]

    def _note(self, what: str, options: dict[str, Any]) -> None:
        self.asked.append((what, options))
        if self.error:
            raise self.error


def _sent(name: str, content: str = "e30=", inserted: datetime = START) -> Any:
    return SimpleNamespace(id=name, pop_receipt="r", content=content, dequeue_count=2, inserted_on=inserted)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
async def queue(client: Client, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Queue]:
    settings = StorageSettings.model_validate(
        {"QueueEndpoint": "https://st.queue.example/", "Queue": "devops"}
    )
    credential: Any = Credential()
    queue = Queue(settings, credential)
    genuine = queue._client
    monkeypatch.setattr(queue, "_client", client)
    yield queue
    await genuine.close()


async def test_messages_are_taken_for_as_long_as_they_take(client: Client, queue: Queue) -> None:
    client.messages = [_sent("m-1"), _sent("m-2")]
    taken = await queue.receive(100, 120.0)
    assert taken == [Message("m-1", "r", "e30=", 2), Message("m-2", "r", "e30=", 2)]
    # One request takes no more than 32.
    options = {"messages_per_page": 32, "max_messages": 32, "visibility_timeout": 120}
    assert client.asked == [("receive", options)]


async def test_a_message_that_is_gone_is_deleted(client: Client, queue: Queue) -> None:
    client.error = ResourceNotFoundError("MessageNotFound")
    await queue.delete(Message("m-1", "r", "", 1))
    assert client.asked == [("delete", {"id": "m-1", "receipt": "r"})]


@pytest.mark.parametrize("method", ["receive", "delete", "depth", "oldest", "check"])
async def test_what_the_queue_refuses_is_said_with_its_status(
    client: Client, queue: Queue, method: str
) -> None:
    client.error = HttpResponseError("AuthorizationPermissionMismatch\nRequestId: 1")
    client.error.status_code = 403
    arguments = {"receive": (1, 60.0), "delete": (Message("m", "r", "", 1),)}.get(method, ())
    with pytest.raises(DependencyError, match=r"^AuthorizationPermissionMismatch$") as refused:
        await getattr(queue, method)(*arguments)
    assert refused.value.status == 403


@pytest.mark.parametrize("text", ['{"id": "é"}', "no JSON"])
def test_a_message_is_read_in_base64_as_event_grid_writes_it(text: str) -> None:
    assert Message("m", "r", base64.b64encode(text.encode()).decode(), 1).text() == text


def test_a_message_may_be_json_itself() -> None:
    assert Message("m", "r", ' {"id": 1}', 1).text() == ' {"id": 1}'


def _shown() -> tuple[float | None, float | None]:
    messages, oldest = (
        REGISTRY.get_sample_value(f"event_queue_{name}", {"agent": "devops"})
        for name in ("messages", "oldest_seconds")
    )
    return messages, oldest


def test_the_gauges_say_how_many_wait_and_for_how_long() -> None:
    class Backlog:
        waiting: list[datetime]
        error: DependencyError | None = None

        async def depth(self) -> int:
            if self.error:
                raise self.error
            return len(self.waiting)

        async def oldest(self) -> datetime | None:
            return min(self.waiting, default=None)

    async def scenario() -> None:
        backlog = Backlog()
        backlog.waiting = [START - timedelta(seconds=100), START]
        async with Lag("devops", backlog, Clock()):
            await asyncio.sleep(0.1)
            assert _shown() == (2, 100)
            backlog.waiting = []
            await asyncio.sleep(15)
            assert _shown() == (0, 0)
            backlog.error = DependencyError("no right to read", 403)
            await asyncio.sleep(15)
            # An old figure would hide that nobody looks.
            assert _shown() == (None, None)
            backlog.error = None
            backlog.waiting = [START]
            await asyncio.sleep(15)
            assert _shown() == (1, 45)

    virtual.run(scenario())
