"""Publishing to Event Grid: what is sent, and which answers are worth another try."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError

from app.dependency import DependencyError, RefusedError
from app.events.topic import Topic
from app.settings import EventSettings
from tests.app.events.examples import event
from tests.app.test_health import Credential


def _topic(answer: Any, credential: Any = None) -> Topic:
    settings = EventSettings.model_validate({"Endpoint": "https://topic.example/api/events"})
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    own: Any = Credential()
    return Topic(settings, credential or own, client)


async def test_events_are_sent_together_as_cloudevents() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    events = [event(id="1", subject="é"), event(id="2")]
    await _topic(answer).publish([one.sent() for one in events])
    (request,) = seen
    assert request.headers["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
    assert request.headers["authorization"] == "Bearer https://eventgrid.azure.net/.default"
    assert json.loads(request.content) == [one.sent() for one in events]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, RefusedError), (413, RefusedError)]
    + [(status, DependencyError) for status in (401, 403, 404, 408, 429, 500, 503)],
)
async def test_only_what_no_attempt_will_change_is_refused(status: int, kind: type[Exception]) -> None:
    with pytest.raises(DependencyError) as failed:
        await _topic(lambda _: httpx.Response(status)).publish([event().sent()])
    assert (type(failed.value), failed.value.status) == (kind, status)


async def test_a_topic_that_is_not_reached_is_worth_another_try() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(DependencyError, match="not reachable"):
        await _topic(answer).publish([event().sent()])


async def test_without_a_token_nothing_is_sent() -> None:
    class Refused(Credential):
        async def get_token(self, *scopes: str, **_: Any) -> Any:
            raise ClientAuthenticationError("no federated credential")

    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError("sent")

    with pytest.raises(DependencyError) as failed:
        await _topic(answer, Refused()).publish([event().sent()])
    assert failed.value.status == 401
