"""Topics and event subscriptions in ARM: what is filled in and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.eventgrid import naming
from sandbox.azure.eventgrid.subscriptions import ExtensionSubscriptionHandler, TopicSubscriptionHandler
from sandbox.azure.eventgrid.topics import TopicHandler
from tests.sandbox.azure.conftest import GROUP
from tests.sandbox.azure.eventgrid import bodies
from tests.sandbox.azure.eventgrid.conftest import Events


async def refused(events: Events, **properties: Any) -> ArmError:
    body = bodies.subscription_body(**properties)
    with pytest.raises(ArmError) as error:
        await events.world.aput(ExtensionSubscriptionHandler, bodies.SUBSCRIPTION, body)
    return error.value


async def test_a_topic_gets_its_endpoint_and_keeps_what_was_computed(events: Events) -> None:
    shown = events.topic.properties
    assert shown["endpoint"] == bodies.ENDPOINT
    assert (shown["disableLocalAuth"], shown["publicNetworkAccess"]) == (False, "Enabled")
    assert bodies.HOST in events.world.hosts.names
    again = await events.world.aput(TopicHandler, bodies.TOPIC, bodies.topic_body(disableLocalAuth=True))
    assert again.properties["metricResourceId"] == shown["metricResourceId"]
    assert again.properties["disableLocalAuth"] is True
    await events.world.adelete([TopicHandler], again)
    assert bodies.HOST not in events.world.hosts.names


async def test_topic_names_are_unique_in_their_region(events: Events) -> None:
    other = f"{GROUP}-other/providers/{bodies.TOPIC}"
    with pytest.raises(ArmError, match="already exists") as taken:
        await events.world.aput(TopicHandler, other, bodies.topic_body())
    assert taken.value.status == 409
    elsewhere = {**bodies.topic_body(), "location": "northeurope"}
    found = await events.world.aput(TopicHandler, other, elsewhere)
    assert ".northeurope-1.eventgrid." in found.properties["endpoint"]


@pytest.mark.parametrize(
    ("name", "properties", "message"),
    [
        ("EventGrid-mine", {}, "reserved"),
        ("mine", {"inputSchema": "CustomEventSchema"}, "not implemented"),
        ("mine", {"inboundIpRules": [{"ipMask": "10.0.0", "action": "Allow"}]}, "no CIDR"),
        ("topic-agents-dev", {"inputSchema": "EventGridSchema"}, "cannot be changed"),
    ],
)
async def test_topics_that_are_refused(
    events: Events, name: str, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArmError, match=message):
        await events.world.aput(TopicHandler, f"{naming.TOPIC}/{name}", bodies.topic_body(**properties))


async def test_keys_are_listed_and_regenerated(events: Events) -> None:
    handler = TopicHandler(events.world.services)
    before = await handler.actions()["listKeys"](call(events, {}))
    after = await handler.actions()["regenerateKey"](call(events, {"keyName": "key1"}))
    assert before["key1"] != after["key1"]
    assert before["key2"] == after["key2"]
    with pytest.raises(ArmError, match="key3"):
        await handler.actions()["regenerateKey"](call(events, {"keyName": "key3"}))


def call(events: Events, body: dict[str, Any]) -> Any:
    from sandbox.arm.handler import Call, Principal

    return Call(events.topic, body, Principal("owner", "app", "tenant", "arm", {}), "2025-02-15", {})


async def test_a_subscription_shows_its_topic_schema_and_defaults(events: Events) -> None:
    found = await events.subscribe()
    shown = found.properties
    assert shown["topic"] == events.topic.id.text
    assert shown["eventDeliverySchema"] == "CloudEventSchemaV1_0"
    assert shown["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
    assert shown["filter"] == {"subjectBeginsWith": "", "subjectEndsWith": ""}
    child = await events.world.aput(TopicSubscriptionHandler, bodies.CHILD, bodies.subscription_body())
    assert child.properties["topic"] == events.topic.id.text
    assert len(naming.subscriptions_of(events.world.store, events.topic)) == 2


FILTERS = "properties.filter.advancedFilters"
STRING = {"operatorType": "StringIn", "key": "data.a"}


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({"retryPolicy": {"maxDeliveryAttempts": 0}}, "properties.retryPolicy.maxDeliveryAttempts"),
        ({"retryPolicy": {"maxDeliveryAttempts": 31}}, "properties.retryPolicy.maxDeliveryAttempts"),
        (
            {"retryPolicy": {"eventTimeToLiveInMinutes": 1441}},
            "properties.retryPolicy.eventTimeToLiveInMinutes",
        ),
        ({"eventDeliverySchema": "EventGridSchema"}, "properties.eventDeliverySchema"),
        ({"expirationTimeUtc": "2020-01-01T00:00:00Z"}, "properties.expirationTimeUtc"),
        ({"expirationTimeUtc": "soon"}, "properties.expirationTimeUtc"),
        ({"destination": bodies.queue_target()}, "properties.destination"),
        ({"deliveryWithResourceIdentity": None}, "properties.destination"),
        ({"filter": {"advancedFilters": [{**STRING, "values": ["x"]}] * 26}}, FILTERS),
        (
            {"filter": {"advancedFilters": [{**STRING, "values": list("abcdefghijklmnopqrstuvwxyz")}]}},
            FILTERS,
        ),
        ({"filter": {"advancedFilters": [{**STRING, "values": ["x" * 513]}]}}, f"{FILTERS}[0].values"),
        ({"filter": {"advancedFilters": [STRING]}}, f"{FILTERS}[0]"),
        ({"filter": {"advancedFilters": [{"operatorType": "IsNotNull", "key": ""}]}}, f"{FILTERS}[0].key"),
        (
            {
                "filter": {
                    "advancedFilters": [{"operatorType": "NumberInRange", "key": "a", "values": [[2, 1]]}]
                }
            },
            f"{FILTERS}[0].values",
        ),
    ],
)
async def test_bounds(events: Events, properties: dict[str, Any], target: str) -> None:
    error = await refused(events, **properties)
    assert (error.status, error.target) == (400, target)


async def test_destinations_exist_beforehand(events: Events) -> None:
    absent = {"identity": {"type": "SystemAssigned"}, "destination": bodies.queue_target(queueName="absent")}
    error = await refused(events, deliveryWithResourceIdentity=absent)
    assert (error.status, error.code) == (400, "Endpoint validation")
    letters = bodies.letter_target()
    letters["properties"]["blobContainerName"] = "absent"
    error = await refused(events, deadLetterWithResourceIdentity=None, deadLetterDestination=letters)
    assert error.code == "Endpoint validation"


async def test_who_subscribes_may_write_to_the_destination(events: Events) -> None:
    events.world.rbac.grants.discard(("owner", bodies.QUEUE_WRITE.lower(), "", False))
    error = await refused(events)
    assert (error.status, error.code) == (403, "LinkedAuthorizationFailed")
    assert bodies.QUEUE in error.message


async def test_the_identity_that_delivers_is_the_topics(events: Events) -> None:
    user = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
    identity = {"type": "UserAssigned", "userAssignedIdentity": user}
    wanted = {"identity": identity, "destination": bodies.queue_target()}
    assert "not enabled on the topic" in (await refused(events, deliveryWithResourceIdentity=wanted)).message
    topic = events.topic
    topic.body["identity"] = {
        "type": "UserAssigned",
        "userAssignedIdentities": {user.upper(): {"principalId": "user-identity"}},
    }
    events.world.store.save(topic)
    await events.subscribe(deliveryWithResourceIdentity=wanted, deadLetterWithResourceIdentity=None)
    await events.publish(1)
    await events.delivered(1)
    assert events.queues.asked[0].caller == "user-identity"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"endpointType": "EventHub", "properties": {"resourceId": "x"}}, "not implemented"),
        (
            {"endpointType": "WebHook", "properties": {"endpointUrl": "http://a.test/"}},
            "must be an HTTPS URL",
        ),
        ({"endpointType": "WebHook", "properties": {}}, "must be an HTTPS URL"),
        (
            {
                "endpointType": "WebHook",
                "properties": {"endpointUrl": "https://a.test/", "maxEventsPerBatch": 5001},
            },
            "between 1 and 5000",
        ),
        (bodies.queue_target(queueMessageTimeToLiveInSeconds=0), "positive whole number"),
    ],
)
async def test_targets_that_are_refused(events: Events, target: dict[str, Any], message: str) -> None:
    error = await refused(events, deliveryWithResourceIdentity=None, destination=target)
    assert message in error.message


async def test_only_topics_can_be_subscribed_to(events: Events) -> None:
    path = f"{bodies.ACCOUNT}/providers/{naming.EXTENSION_SUBSCRIPTION}/sub"
    with pytest.raises(ArmError, match="custom topics only"):
        await events.world.aput(ExtensionSubscriptionHandler, path, bodies.subscription_body())


async def test_a_patch_is_sent_without_properties_around_it(events: Events) -> None:
    handler = ExtensionSubscriptionHandler(events.world.services)
    assert handler.patch({"labels": ["x"]}) == {"properties": {"labels": ["x"]}}


async def test_listing_by_location(events: Events) -> None:
    await events.subscribe()
    operations = ExtensionSubscriptionHandler(events.world.services).operations()
    from sandbox.arm.handler import Principal
    from sandbox.arm.operation import OperationCall
    from sandbox.config import SUBSCRIPTION_ID

    who = Principal("owner", "app", "tenant", "arm", {})
    for location, count in (("West Europe", 1), ("northeurope", 0)):
        parameters = {"subscription": SUBSCRIPTION_ID, "group": "rg", "location": location}
        answer = await operations[1].run(OperationCall(parameters, {}, {}, who, "2025-02-15"))
        assert len(answer.body["value"]) == count
