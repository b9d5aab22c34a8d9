"""Webhooks over HTTPS: the handshake, what a delivery looks like, and endpoints that misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.arm.errors import ArmError
from sandbox.azure.eventgrid import schedule
from sandbox.azure.eventgrid.subscriptions import ExtensionSubscriptionHandler, TopicSubscriptionHandler
from sandbox.azure.eventgrid.topics import TopicHandler
from sandbox.azure.eventgrid.webhooks import webhook_client
from tests.sandbox.azure import fakes
from tests.sandbox.azure.conftest import World
from tests.sandbox.azure.eventgrid import bodies
from tests.sandbox.azure.eventgrid.clock import eventually
from tests.sandbox.azure.eventgrid.conftest import Events

MOST_PAUSE = 1 + schedule.JITTER


@dataclass
class Hook:
    """Runs in the server's thread. `origin` is what it allows; `hang` keeps deliveries unanswered."""

    origin: str | None = "eventgrid.azure.test"
    echoes: bool = True
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    hang: threading.Event | None = None
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        headers = dict(request.headers)
        if request.method == "OPTIONS":
            self.asked.append(headers)
            allowed = {"WebHook-Allowed-Origin": self.origin} if self.origin else {}
            return Response(headers={"Allow": "POST", **allowed})
        body = json.loads(await request.body())
        if headers.get("aeg-event-type") == "SubscriptionValidation":
            code = body[0]["data"]["validationCode"]
            return JSONResponse({"validationResponse": code} if self.echoes else {})
        self.received.append((headers, body))
        if self.hang is not None:
            await asyncio.to_thread(self.hang.wait, 20)
        return Response(status_code=self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


@pytest.fixture
def world(events: Events) -> World:
    """The world that `serve` serves."""
    return events.world


@pytest.fixture
def hook(events: Events, serve: Callable[[], None]) -> Hook:
    found = Hook()
    world = events.world
    world.router.mount("hooks.azure.test", found)
    authority = world.services.ca
    assert isinstance(authority, fakes.Authority)
    bundle = world.services.config.ca_bundle
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text(authority.pem)
    # The grid's client reads the bundle when it is made.
    events.grid._senders._webhooks = webhook_client(world.services.config)
    serve()
    # Asynchronous clients look up names, but keep the port.
    found.url = f"https://hooks.azure.test:{world.port}/receive?code=secret"
    return found


def webhook(hook: Hook, **properties: Any) -> dict[str, Any]:
    target = {"endpointType": "WebHook", "properties": {"endpointUrl": hook.url, **properties}}
    return {"deliveryWithResourceIdentity": None, "destination": target}


async def test_a_cloud_event_is_posted_alone_with_event_grids_headers(events: Events, hook: Hook) -> None:
    mappings = [
        {"name": "x-fixed", "type": "Static", "properties": {"value": "one", "isSecret": True}},
        {"name": "x-number", "type": "Dynamic", "properties": {"sourceField": "data.number"}},
        {"name": "x-absent", "type": "Dynamic", "properties": {"sourceField": "data.nothing"}},
    ]
    await events.subscribe(**webhook(hook, deliveryAttributeMappings=mappings))
    assert hook.asked[0]["webhook-request-origin"] == "eventgrid.azure.test"
    hook.statuses = [500, 200]
    await events.publish(3)
    await eventually(lambda: len(hook.received) == 1, "a delivery")
    await events.idle()
    events.clock.advance(10 * MOST_PAUSE)
    await eventually(lambda: len(hook.received) == 2, "another attempt")
    (headers, body), (again, _) = hook.received
    assert body == bodies.event(3)
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["aeg-subscription-name"] == "SUB-NOTIFICATION"
    assert headers["aeg-event-type"] == "Notification"
    assert (headers["aeg-delivery-count"], again["aeg-delivery-count"]) == ("0", "1")
    assert headers["origin"] == "eventgrid.azure.test"
    assert (headers["x-fixed"], headers["x-number"]) == ("one", "3")
    assert "x-absent" not in headers


async def test_batches_hold_no_more_than_asked_for(events: Events, hook: Hook) -> None:
    await events.subscribe(**webhook(hook, maxEventsPerBatch=3, preferredBatchSizeInKilobytes=1))
    await events.publish(*range(7))
    await eventually(lambda: sum(len(body) for _, body in hook.received) == 7, "all of them")
    assert all(len(body) <= 3 for _, body in hook.received)
    assert hook.received[0][0]["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
    hook.received.clear()
    await events.publish(8, 9, subject="x" * 900)
    await eventually(lambda: sum(len(body) for _, body in hook.received) == 2, "both of them")
    assert [len(body) for _, body in hook.received] == [1, 1], "together they are larger than preferred"


async def test_a_batch_succeeds_or_fails_as_a_whole(events: Events, hook: Hook) -> None:
    await events.subscribe(**webhook(hook, maxEventsPerBatch=10))
    hook.statuses = [500, 200]
    await events.publish(1, 2)
    await eventually(lambda: len(hook.received) == 1, "the batch")
    await events.idle()
    events.clock.advance(10 * MOST_PAUSE)
    await eventually(lambda: sum(len(body) for _, body in hook.received[1:]) == 2, "both again")


@pytest.mark.parametrize("origin", [None, "someone.else"])
async def test_an_endpoint_that_does_not_agree_is_refused(
    events: Events, hook: Hook, origin: str | None
) -> None:
    hook.origin = origin
    with pytest.raises(ArmError, match="attempt to validate the provided endpoint") as refused:
        await events.subscribe(**webhook(hook))
    assert refused.value.code == "URL validation"
    assert "secret" not in refused.value.message
    hook.origin = "*"
    await events.subscribe(**webhook(hook))


async def test_the_event_grid_schema_is_validated_by_a_code(events: Events, hook: Hook) -> None:
    world = events.world
    body = bodies.topic_body(inputSchema="EventGridSchema")
    path = bodies.TOPIC.replace("topic-agents-dev", "topic-grid")
    topic = await world.aput(TopicHandler, path, body)
    child = f"{path}/eventSubscriptions/sub"
    hook.echoes = False
    with pytest.raises(ArmError, match="without the validation code"):
        await world.aput(TopicSubscriptionHandler, child, bodies.subscription_body(**webhook(hook)))
    hook.echoes = True
    found = await world.aput(TopicSubscriptionHandler, child, bodies.subscription_body(**webhook(hook)))
    found.properties["provisioningState"] = "Succeeded"
    world.store.save(found)
    event = {
        "id": "1",
        "topic": topic.id.text,
        "subject": "s",
        "eventType": "done",
        "eventTime": "2026-01-02T03:04:05Z",
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }
    await events.grid.accept(topic, [event])
    await eventually(lambda: len(hook.received) == 1, "a delivery")
    headers, received = hook.received[0]
    assert received == [event]
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["aeg-data-version"] == "1.0"


async def test_grid_events_can_be_delivered_as_cloud_events(events: Events, hook: Hook) -> None:
    world = events.world
    path = bodies.TOPIC.replace("topic-agents-dev", "topic-grid")
    topic = await world.aput(TopicHandler, path, bodies.topic_body(inputSchema="EventGridSchema"))
    properties = {**webhook(hook), "eventDeliverySchema": "CloudEventSchemaV1_0"}
    child = f"{path}/eventSubscriptions/sub"
    found = await world.aput(TopicSubscriptionHandler, child, bodies.subscription_body(**properties))
    found.properties["provisioningState"] = "Succeeded"
    world.store.save(found)
    event = {
        "id": "1",
        "topic": topic.id.text,
        "subject": "s",
        "eventType": "done",
        "eventTime": "2026-01-02T03:04:05Z",
        "dataVersion": "1.0",
        "data": {"a": 1},
    }
    await events.grid.accept(topic, [event])
    await eventually(lambda: len(hook.received) == 1, "a delivery")
    assert hook.received[0][1] == {
        "specversion": "1.0",
        "id": "1",
        "source": topic.id.text,
        "type": "done",
        "subject": "s",
        "time": "2026-01-02T03:04:05Z",
        "dataschema": "#1.0",
        "data": {"a": 1},
    }


async def test_a_webhook_that_hangs_is_a_timed_out_attempt(
    events: Events, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    await events.subscribe(**webhook(hook), retryPolicy={"maxDeliveryAttempts": 1})
    # After the handshake, which a busy machine may take this long for.
    monkeypatch.setattr(schedule, "RESPONSE", 0.3)
    hook.hang = threading.Event()
    await events.publish(1)
    await eventually(lambda: len(hook.received) == 1, "a delivery")
    await events.idle()
    hook.hang.set()
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "a dead letter")
    assert events.letters()[0]["lastdeliveryoutcome"] == "TimedOut"


async def test_a_webhook_that_nobody_serves_is_a_socket_error(events: Events, hook: Hook) -> None:
    subscription = await events.subscribe(**webhook(hook), retryPolicy={"maxDeliveryAttempts": 1})
    subscription.properties["destination"]["properties"]["endpointUrl"] = "https://127.0.0.1:1/"
    events.world.store.save(subscription)
    await events.publish(1)
    await eventually(lambda: bool(events.grid._journal.pending(subscription.id.key, [1])[0].outcome), "it")
    await events.idle()
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "a dead letter")
    assert events.letters()[0]["lastdeliveryoutcome"] == "SocketError"


async def test_a_get_hides_the_query_and_secret_headers(events: Events, hook: Hook) -> None:
    mappings = [{"name": "x", "type": "Static", "properties": {"value": "one", "isSecret": True}}]
    subscription = await events.subscribe(**webhook(hook, deliveryAttributeMappings=mappings))
    handler = ExtensionSubscriptionHandler(events.world.services)
    shown = (await handler.view(subscription))["properties"]["destination"]["properties"]
    assert shown["endpointBaseUrl"] == hook.url.partition("?")[0]
    assert shown["deliveryAttributeMappings"][0]["properties"]["value"] is None
    assert "secret" not in json.dumps(shown)
    assert subscription.properties["destination"]["properties"]["endpointUrl"] == hook.url
