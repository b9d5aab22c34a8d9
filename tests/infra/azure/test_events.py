"""Events find their agent's queue, are tried as often as the settings say, and never vanish."""

from __future__ import annotations

from tests.infra.azure.declaring import Declarations, Declared


def test_each_agent_has_a_queue_and_a_subscription_into_it(in_dev: Declarations) -> None:
    found = {one.inputs["eventSubscriptionName"]: one.inputs for one in _subscriptions(in_dev)}
    assert set(found) == {"sub-notification", "sub-devops"}
    for agent in ("notification", "devops"):
        delivery = found[f"sub-{agent}"]["deliveryWithResourceIdentity"]
        assert delivery["identity"] == {"type": "SystemAssigned"}
        assert delivery["destination"]["queueName"] == agent
        assert delivery["destination"]["resourceId"] == "/StorageAccount/storage"
        # Without its own word Azure would drop what lies in the queue for a week.
        assert delivery["destination"]["queueMessageTimeToLiveInSeconds"] == -1


def test_an_agent_gets_the_types_it_listens_to_or_what_is_addressed_to_it(in_dev: Declarations) -> None:
    found = {one.name: one.inputs["filter"] for one in _subscriptions(in_dev)}
    assert found["devops"]["includedEventTypes"] == ["agents.incident.opened", "agents.incident.closed"]
    assert "subjectBeginsWith" not in found["devops"]
    assert found["notification"]["subjectBeginsWith"] == "/agents/notification/"
    assert "includedEventTypes" not in found["notification"]


def test_what_cannot_be_delivered_is_kept(in_dev: Declarations) -> None:
    for one in _subscriptions(in_dev):
        assert one.inputs["retryPolicy"] == {"maxDeliveryAttempts": 5, "eventTimeToLiveInMinutes": 60}
        letters = one.inputs["deadLetterWithResourceIdentity"]
        assert letters["identity"] == {"type": "SystemAssigned"}
        assert letters["deadLetterDestination"]["blobContainerName"] == "dead-letters"


def test_a_subscription_waits_for_the_roles_it_is_delivered_with(in_dev: Declarations) -> None:
    for one in _subscriptions(in_dev):
        assert one.needs == ("bury-topic", f"send-{one.name}-topic")


def test_events_are_cloudevents(in_dev: Declarations) -> None:
    assert in_dev.one("eventgrid:Topic").inputs["inputSchema"] == "CloudEventSchemaV1_0"
    assert {one.inputs["eventDeliverySchema"] for one in _subscriptions(in_dev)} == {"CloudEventSchemaV1_0"}


def _subscriptions(found: Declarations) -> list[Declared]:
    return found.of("eventgrid:EventSubscription")
