"""The whole way with nothing faked but the machine: ARM, roles, the topic's identity, Azurite.

Official clients make the resources, publish and receive. Retries run a thousand times faster than Azure's.
"""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.eventgrid import EventGridManagementClient
from azure.mgmt.eventgrid import models as eg
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, eventgrid, managedidentity, resources, storage
from sandbox.azure.eventgrid.timing import PACE
from sandbox.config import SUBSCRIPTION_ID, Config
from tests.sandbox.azure import fakes
from tests.sandbox.served import Served, served
from tests.waiting import until

GROUP, REGION = "rg-events", "westeurope"
ACCOUNT, QUEUE, CONTAINER, TOPIC, NAME = "stevents", "notification", "deadletters", "topic-events", "sub-it"
DATA_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
QUEUE_SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
QUEUE_PROCESSOR = "8a0f0c08-91a1-4084-bc3d-661d67233fed"
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
ROLES = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions"


@dataclass
class Platform:
    """A topic, a queue and a container, joined by the topic's identity."""

    cloud: Served
    topic: eg.Topic
    account: str

    @property
    def queue_id(self) -> str:
        return f"{self.account}/queueServices/default/queues/{QUEUE}"

    @property
    def deployer(self) -> str:
        return self.cloud.deployer["objectId"]

    @property
    def identity(self) -> str:
        """The object id of the topic's identity."""
        return str(self.client(EventGridManagementClient).topics.get(GROUP, TOPIC).identity.principal_id)

    @property
    def credential(self) -> ClientSecretCredential:
        keys = self.cloud.deployer
        return ClientSecretCredential(
            keys["tenantId"],
            keys["clientId"],
            keys["clientSecret"],
            authority="https://login.azure.test",
            disable_instance_discovery=True,
        )

    def client(self, kind: Any) -> Any:
        scopes = ["https://management.azure.test/.default"]
        return kind(
            self.credential,
            SUBSCRIPTION_ID,
            base_url="https://management.azure.test",
            credential_scopes=scopes,
            polling_interval=0,
        )

    def assign(self, role: str, principal: str, scope: str) -> str:
        name = str(uuid.uuid4())
        body = {
            "properties": {
                "roleDefinitionId": f"{ROLES}/{role}",
                "principalId": principal,
                "principalType": "ServicePrincipal",
            }
        }
        return str(self.client(AuthorizationManagementClient).role_assignments.create(scope, name, body).id)

    def unassign(self, assignment: str) -> None:
        self.client(AuthorizationManagementClient).role_assignments.delete_by_id(assignment)

    def publish(self, *types: str) -> None:
        assert self.topic.endpoint is not None
        with EventGridPublisherClient(self.topic.endpoint, self.credential, retry_total=0) as publisher:
            publisher.send([CloudEvent(source="/tests", type=kind, data={"type": kind}) for kind in types])

    def receive(self, count: int) -> list[str]:
        """Types of the next events in the queue, taken out of it."""
        found: list[str] = []

        def take() -> bool:
            with QueueClient(
                f"https://{ACCOUNT}.queue.storage.azure.test", QUEUE, credential=self.credential
            ) as queue:
                for message in queue.receive_messages(max_messages=32):
                    found.append(json.loads(base64.b64decode(message.content))["type"])
                    queue.delete_message(message)
            return len(found) >= count

        until(take, bool, 20, f"{count} messages; there are {found}")
        return found

    def letters(self, count: int) -> list[dict[str, Any]]:
        """Dead letters, all that there are once there are as many."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found.clear()
            with ContainerClient(
                f"https://{ACCOUNT}.blob.storage.azure.test", CONTAINER, credential=self.credential
            ) as container:
                for blob in container.list_blobs(name_starts_with=f"{NAME.upper()}/"):
                    found.extend(json.loads(container.download_blob(blob.name).readall()))
            return len(found) >= count

        until(look, bool, 20, f"{count} dead letters")
        return found


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if not (Config().cache / "bin" / "azurite").exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not in the cache; `make up` installs it")
    state = tmp_path_factory.mktemp("end-to-end")
    modules = [resources, authorization, managedidentity, storage, eventgrid]
    with pytest.MonkeyPatch.context() as patch, served(state, patch, catalogue(), modules) as cloud:
        (state / PACE).parent.mkdir(exist_ok=True)
        (state / PACE).write_text("1000")
        yield deploy(cloud)
        supervisor = cloud.cloud.services.supervisor
        assert isinstance(supervisor, fakes.Supervisor)
        supervisor.end()


def deploy(cloud: Served) -> Platform:
    found = Platform(cloud, eg.Topic(location=REGION), "")
    found.client(ResourceManagementClient).resource_groups.create_or_update(GROUP, {"location": REGION})
    stores = found.client(StorageManagementClient)
    account = {
        "location": REGION,
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"allowSharedKeyAccess": False},
    }
    found.account = stores.storage_accounts.begin_create(GROUP, ACCOUNT, account).result().id
    stores.queue.create(GROUP, ACCOUNT, QUEUE, {})
    stores.blob_containers.create(GROUP, ACCOUNT, CONTAINER, {})
    topics = found.client(EventGridManagementClient).topics
    body = eg.Topic(
        location=REGION,
        identity=eg.IdentityInfo(type="SystemAssigned"),
        input_schema="CloudEventSchemaV1_0",
        disable_local_auth=True,
    )
    found.topic = topics.begin_create_or_update(GROUP, TOPIC, body).result()
    found.assign(QUEUE_PROCESSOR, found.deployer, found.queue_id)
    found.assign(BLOB_CONTRIBUTOR, found.deployer, found.account)
    return found


@pytest.fixture(scope="module")
def subscription(platform: Platform) -> eg.EventSubscription:
    identity = eg.EventSubscriptionIdentity(type="SystemAssigned")
    body = eg.EventSubscription(
        delivery_with_resource_identity=eg.DeliveryWithResourceIdentity(
            identity=identity,
            destination=eg.StorageQueueEventSubscriptionDestination(
                resource_id=platform.account, queue_name=QUEUE
            ),
        ),
        dead_letter_with_resource_identity=eg.DeadLetterWithResourceIdentity(
            identity=identity,
            dead_letter_destination=eg.StorageBlobDeadLetterDestination(
                resource_id=platform.account, blob_container_name=CONTAINER
            ),
        ),
        filter=eg.EventSubscriptionFilter(
            advanced_filters=[eg.StringNotInAdvancedFilter(key="data.type", values=["unwanted"])]
        ),
    )
    made = platform.client(EventGridManagementClient).event_subscriptions
    found = made.begin_create_or_update(platform.topic.id, NAME, body).result()
    assert isinstance(found, eg.EventSubscription)
    return found


def test_the_control_plane_answers_what_the_official_client_expects(
    platform: Platform, subscription: eg.EventSubscription
) -> None:
    client = platform.client(EventGridManagementClient)
    topic = client.topics.get(GROUP, TOPIC)
    assert topic.provisioning_state == "Succeeded"
    assert topic.endpoint == f"https://{TOPIC}.{REGION}-1.eventgrid.azure.test/api/events"
    assert topic.identity.principal_id
    assert [one.name for one in client.topics.list_by_resource_group(GROUP)] == [TOPIC]
    assert client.topics.list_shared_access_keys(GROUP, TOPIC).key1
    shown = client.event_subscriptions.get(platform.topic.id, NAME)
    assert shown.provisioning_state == "Succeeded"
    assert (shown.topic, shown.event_delivery_schema) == (platform.topic.id, "CloudEventSchemaV1_0")
    assert shown.destination is None
    letters = shown.dead_letter_with_resource_identity.dead_letter_destination
    assert letters.blob_container_name == CONTAINER
    parts = ("Microsoft.EventGrid", "topics", TOPIC)
    listed = client.event_subscriptions.list_by_resource(GROUP, *parts)
    assert [one.name for one in listed] == [NAME]
    update = eg.EventSubscriptionUpdateParameters(labels=["one"])
    assert client.event_subscriptions.begin_update(platform.topic.id, NAME, update).result().labels == ["one"]


def test_who_may_publish_is_a_role_on_the_topic(platform: Platform) -> None:
    with pytest.raises(ClientAuthenticationError, match="does not have permission to send data"):
        platform.publish("x")
    assert platform.topic.id is not None
    platform.assign(DATA_SENDER, platform.deployer, platform.topic.id)
    platform.publish("unwanted")


def test_events_flow_only_while_the_topics_identity_has_its_roles(
    platform: Platform, subscription: eg.EventSubscription
) -> None:
    identity = platform.identity
    platform.assign(BLOB_CONTRIBUTOR, identity, platform.account)
    platform.publish("too early")
    (letter,) = platform.letters(1)
    assert (letter["type"], letter["lastdeliveryoutcome"], letter["deliveryattempts"]) == (
        "too early",
        "Forbidden",
        1,
    )
    sender = platform.assign(QUEUE_SENDER, identity, platform.queue_id)
    platform.publish("one", "unwanted", "two")
    assert sorted(platform.receive(2)) == ["one", "two"]
    platform.unassign(sender)
    platform.publish("while it was gone")
    assert sorted(letter["type"] for letter in platform.letters(2)) == ["too early", "while it was gone"]
    platform.assign(QUEUE_SENDER, identity, platform.queue_id)
    platform.publish("three")
    assert platform.receive(1) == ["three"]


def test_a_queue_made_again_gets_what_waited_for_it(
    platform: Platform, subscription: eg.EventSubscription
) -> None:
    # Roles at the queue's scope go with the queue; these stay.
    platform.assign(QUEUE_PROCESSOR, platform.deployer, platform.account)
    platform.assign(QUEUE_SENDER, platform.identity, platform.account)
    queues = platform.client(StorageManagementClient).queue
    queues.delete(GROUP, ACCOUNT, QUEUE)
    platform.publish("patient")
    with pytest.raises(ResourceNotFoundError):
        platform.receive(1)
    queues.create(GROUP, ACCOUNT, QUEUE, {})
    assert platform.receive(1) == ["patient"]


def test_what_a_queue_cannot_hold_is_a_dead_letter(
    platform: Platform, subscription: eg.EventSubscription
) -> None:
    before = len(platform.letters(0))
    assert platform.topic.endpoint is not None
    with EventGridPublisherClient(platform.topic.endpoint, platform.credential) as publisher:
        publisher.send(CloudEvent(source="/tests", type="large", data={"text": "x" * 70_000}))
    letters = platform.letters(before + 1)
    assert [one["type"] for one in letters].count("large") == 1
    (large,) = [one for one in letters if one["type"] == "large"]
    assert large["deadletterreason"] == "UndeliverableDueToHttpRequestEntityTooLarge"


def test_deleting_the_topic_deletes_its_subscriptions(
    platform: Platform, subscription: eg.EventSubscription
) -> None:
    client = platform.client(EventGridManagementClient)
    client.topics.begin_delete(GROUP, TOPIC).result()
    store = platform.cloud.cloud.services.store
    assert not list(store.list(type="Microsoft.EventGrid/eventSubscriptions"))
    assert not list(store.list(type="Microsoft.EventGrid/topics"))
