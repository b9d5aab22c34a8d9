"""Publishing through the official client and plain HTTPS: identities, keys, schemas, limits."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.credentials import AzureKeyCredential, AzureSasCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient, generate_sas

from sandbox.arm.resource import Resource
from sandbox.azure import eventgrid
from sandbox.azure.eventgrid import naming
from sandbox.azure.eventgrid.authentication import SEND
from sandbox.azure.eventgrid.plane import LIMIT
from sandbox.azure.eventgrid.subscriptions import TopicSubscriptionHandler
from sandbox.azure.eventgrid.topics import TopicHandler
from tests.sandbox.azure import fakes
from tests.sandbox.azure.conftest import World, _resolve_to, make_world
from tests.sandbox.azure.eventgrid import bodies
from tests.sandbox.azure.eventgrid.clock import eventually
from tests.sandbox.azure.eventgrid.sink import Sink
from tests.sandbox.azure.fakes import Credential
from tests.sandbox.azure.processes import Server

GRID_TOPIC = bodies.TOPIC.replace("topic-agents-dev", "topic-grid")
GRID_ENDPOINT = bodies.ENDPOINT.replace("topic-agents-dev", "topic-grid")


@dataclass
class Published:
    """Two topics, one for each schema, behind HTTPS; all they get goes to the sink."""

    world: World
    server: Server
    sink: Sink
    trust: Path

    def put(self, name: str = "topic-agents-dev", **properties: Any) -> Resource:
        path = bodies.TOPIC.replace("topic-agents-dev", name)
        return self.server.call(self.world.aput(TopicHandler, path, bodies.topic_body(**properties)))

    def subscribe(self, topic: str, **properties: Any) -> None:
        path = f"{naming.TOPIC}/{topic}/eventSubscriptions/all"
        body = bodies.subscription_body(**properties)
        found = self.server.call(self.world.aput(TopicSubscriptionHandler, path, body))
        found.properties["provisioningState"] = "Succeeded"
        self.world.store.save(found)

    def received(self, count: int) -> list[Any]:
        asyncio.run(eventually(lambda: len(self.sink.asked) >= count, f"{count} deliveries"))
        return [asked.event for asked in self.sink.asked[:count]]

    def post(self, content: bytes | str, url: str = bodies.ENDPOINT, **headers: str) -> httpx.Response:
        token = Credential("sender").get_token("https://eventgrid.azure.net/.default").token
        sent = {"authorization": f"Bearer {token}", "content-type": "application/cloudevents+json"}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        context = ssl.create_default_context(cafile=str(self.trust))
        return httpx.post(url, content=content, headers={**sent, **names}, verify=context)


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("publishing")
    world = make_world(folder)
    authority = world.services.ca
    assert isinstance(authority, fakes.Authority)
    ca = folder / "ca.pem"
    ca.write_text(authority.pem)
    sink = Sink()
    world.router.mount("*.queue.storage.azure.test", sink)
    eventgrid.mount(world.services)
    bodies.add_storage(world)
    world.rbac.grant("sender", SEND)
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            patch.setenv(variable, str(ca))
        server = Server(world.router, authority, ("*.westeurope-1.eventgrid.azure.test",), folder)
        _resolve_to(patch, server.port)
        found = Published(world, server, sink, ca)
        found.put()
        found.put("topic-grid", inputSchema="EventGridSchema")
        for topic in ("topic-agents-dev", "topic-grid"):
            found.subscribe(topic)
        yield found
        server.call(eventgrid.stop(world.services))
        server.close()


@pytest.fixture
def plane(module_plane: Published) -> Published:
    module_plane.sink.asked.clear()
    return module_plane


def client(credential: Any = None, endpoint: str = bodies.ENDPOINT) -> EventGridPublisherClient:
    return EventGridPublisherClient(endpoint, credential or Credential("sender"), retry_total=0)


def test_the_official_client_sends_cloud_events_with_an_identity(plane: Published) -> None:
    with client() as publisher:
        publisher.send(CloudEvent(source="/tests", type="one", data={"a": 1}, subject="s"))
        publisher.send([CloudEvent(source="/tests", type=f"many-{n}", data=b"\x00\xff") for n in range(3)])
    received = plane.received(4)
    assert sorted(event["type"] for event in received) == ["many-0", "many-1", "many-2", "one"]
    (one,) = [event for event in received if event["type"] == "one"]
    assert (one["data"], one["subject"], one["specversion"]) == ({"a": 1}, "s", "1.0")
    assert CloudEvent.from_dict(received[-1]).source == "/tests"


def test_the_official_client_sends_grid_events(plane: Published) -> None:
    with client(endpoint=GRID_ENDPOINT) as publisher:
        publisher.send(EventGridEvent(subject="s", event_type="done", data={"a": 1}, data_version="1.0"))
    (received,) = plane.received(1)
    assert received["topic"].endswith("/topics/topic-grid")
    assert (received["data"], received["metadataVersion"]) == ({"a": 1}, "1")


def test_an_identity_without_the_role_is_unauthorized(plane: Published) -> None:
    with client(Credential("nobody")) as publisher, pytest.raises(ClientAuthenticationError) as refused:
        publisher.send(CloudEvent(source="/tests", type="x"))
    assert "does not have permission to send data to /subscriptions/" in str(refused.value)
    plane.world.rbac.grant("elsewhere", SEND, scope="/subscriptions/other")
    with client(Credential("elsewhere")) as publisher, pytest.raises(ClientAuthenticationError):
        publisher.send(CloudEvent(source="/tests", type="x"))
    assert plane.sink.asked == []


def test_a_token_for_someone_else_is_refused(plane: Published) -> None:
    token = Credential("sender").get_token("https://vault.azure.net/.default").token
    answer = plane.post(json.dumps(bodies.event()), authorization=f"Bearer {token}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")
    answer = plane.post(json.dumps(bodies.event()), authorization="")
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("Request must contain one of")


def test_keys_and_signatures_publish_until_local_auth_is_off(plane: Published) -> None:
    topic = plane.put()
    handler = TopicHandler(plane.world.services)

    def keys() -> dict[str, str]:
        from sandbox.arm.handler import Call, Principal

        call = Call(topic, {}, Principal("owner", "app", "tenant", "arm", {}), "2025-02-15", {})
        return dict(plane.server.call(handler.actions()["listKeys"](call)))  # type: ignore[arg-type]

    event: CloudEvent[Any] = CloudEvent(source="/tests", type="x")
    key = keys()["key2"]
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    good = [AzureKeyCredential(key), AzureSasCredential(generate_sas(bodies.ENDPOINT, key, tomorrow))]
    for credential in good:
        with client(credential) as publisher:
            publisher.send(event)
    assert len(plane.received(2)) == 2
    yesterday = tomorrow - dt.timedelta(days=2)
    bad = [
        AzureKeyCredential("bm90IHRoZSBrZXk="),
        AzureSasCredential(generate_sas(bodies.ENDPOINT, key, yesterday)),
        AzureSasCredential(generate_sas(GRID_ENDPOINT, key, tomorrow)),
        AzureSasCredential(generate_sas(bodies.ENDPOINT, "bm90IHRoZSBrZXk=", tomorrow)),
        AzureSasCredential("r=x&e=y&s=\u00e4"),
        AzureKeyCredential("\u00e4"),
    ]
    for credential in bad:
        with client(credential) as publisher, pytest.raises(ClientAuthenticationError):
            publisher.send(event)
    plane.put(disableLocalAuth=True)
    for credential in good:
        with client(credential) as publisher, pytest.raises(ClientAuthenticationError) as refused:
            publisher.send(event)
        assert "Local authentication" in str(refused.value)
    with client() as publisher:
        publisher.send(event)
    plane.put()


def test_binary_mode(plane: Published) -> None:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/tests", "ce_type": "x"}
    answer = plane.post('{"a": 1}', content_type="application/json", **headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["api-supported-versions"] == "2018-01-01"
    assert plane.received(1)[0]["data"] == {"a": 1}


def test_refusals_have_the_services_shape(plane: Published) -> None:
    answer = plane.post(json.dumps([bodies.event()]))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "BadRequest")
    assert error["details"][0]["code"] == "InputJsonInvalid"
    assert f"Report '{answer.headers['x-ms-request-id']}:0:" in error["message"]
    with client() as publisher, pytest.raises(HttpResponseError) as refused:
        publisher.send(EventGridEvent(subject="s", event_type="x", data={}, data_version="1"))
    assert "Token Expected: StartObject, Actual Token Received: StartArray" in str(refused.value)
    with client(endpoint=GRID_ENDPOINT) as publisher, pytest.raises(HttpResponseError) as refused:
        publisher.send(CloudEvent(source="/tests", type="x"))
    assert refused.value.status_code == 400
    assert "Received unexpected property " in str(refused.value)
    assert plane.post("x", content_type="text/plain").status_code == 415
    assert plane.post("{}", url=bodies.ENDPOINT + "/other").json()["error"]["code"] == "NotFound"
    absent = bodies.ENDPOINT.replace("topic-agents-dev", "topic-absent")
    assert plane.post("{}", url=absent).status_code == 404
    assert plane.sink.asked == []


def test_a_batch_is_accepted_whole_or_not_at_all(plane: Published) -> None:
    batch = [bodies.event(1), {"id": "2"}]
    answer = plane.post(json.dumps(batch), content_type="application/cloudevents-batch+json")
    assert answer.status_code == 400
    plane.post(json.dumps(bodies.event(3)))
    assert [event["id"] for event in plane.received(1)] == ["3"]


def test_a_megabyte_and_no_more(plane: Published) -> None:
    room = LIMIT - len(json.dumps(bodies.event(1, data="")))
    assert plane.post(json.dumps(bodies.event(1, data="x" * room))).status_code == 200
    answer = plane.post(json.dumps(bodies.event(1, data="x" * (room + 1))))
    assert answer.status_code == 413
    assert f"The maximum size ({LIMIT}) has been exceeded." in answer.json()["error"]["message"]
    context = ssl.create_default_context(cafile=str(plane.trust))
    assert httpx.get(bodies.ENDPOINT, verify=context).status_code == 405
