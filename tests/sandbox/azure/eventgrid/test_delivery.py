"""From acceptance to the queue, the dead-letter blob or oblivion, in a time that the tests move."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from sandbox.azure.eventgrid import schedule
from sandbox.azure.eventgrid.formats import moment
from sandbox.azure.eventgrid.subscriptions import ExtensionSubscriptionHandler
from sandbox.azure.eventgrid.timing import PACE
from tests.sandbox.azure.eventgrid import bodies
from tests.sandbox.azure.eventgrid.clock import eventually
from tests.sandbox.azure.eventgrid.conftest import Events

MOST_PAUSE = 1 + schedule.JITTER


async def test_an_event_reaches_the_queue_as_base64_json_with_the_topics_identity(events: Events) -> None:
    await events.subscribe()
    await events.publish(7, subject="äöü", tenant="x")
    assert await events.delivered(1) == [7]
    (asked,) = events.queues.asked
    assert asked.event == bodies.event(7, subject="äöü", tenant="x")
    assert (asked.method, asked.path) == ("POST", "/notification/messages")
    assert asked.host == "stagentsdev.queue.storage.azure.test"
    assert asked.caller == bodies.IDENTITY
    assert asked.client == str(events.world.services.config.gateway), "as one of Azure's own services"


async def test_without_an_identity_the_accounts_key_signs(events: Events) -> None:
    await events.subscribe(
        deliveryWithResourceIdentity=None,
        destination=bodies.queue_target(queueMessageTimeToLiveInSeconds=60),
    )
    await events.publish(1)
    await events.delivered(1)
    (asked,) = events.queues.asked
    assert asked.headers["authorization"].startswith("SharedKey stagentsdev:")
    assert asked.query == "messagettl=60"


async def test_only_wanted_events_are_delivered_to_each_subscription(events: Events) -> None:
    await events.subscribe("sub-a", filter={"includedEventTypes": ["a"]})
    await events.subscribe("sub-b", filter={"includedEventTypes": ["b"], "subjectBeginsWith": "/x"})
    await events.grid.accept(
        events.topic,
        [
            bodies.event(1, type="a"),
            bodies.event(2, type="b"),
            bodies.event(3, type="b", subject="/X/y"),
            bodies.event(4, type="c"),
        ],
    )
    assert sorted(await events.delivered(2)) == [1, 3]
    await events.idle()
    assert len(events.queues.asked) == 2


async def test_a_changed_filter_holds_for_what_is_published_afterwards(events: Events) -> None:
    await events.subscribe(filter={"includedEventTypes": ["other"]})
    await events.publish(1)
    await events.subscribe(filter={"includedEventTypes": ["done"]})
    await events.publish(2)
    assert await events.delivered(1) == [2]


async def test_retries_follow_the_schedule_until_the_destination_takes_it(events: Events) -> None:
    await events.subscribe()
    events.queues.statuses = [500] * 5 + [201]
    await events.publish(1)
    for count, pause in enumerate(schedule.PAUSES[:5], start=1):
        await events.delivered(count)
        await events.idle()
        events.clock.advance(pause - 0.5)
        await events.idle()
        assert len(events.queues.asked) == count, "tried before its time"
        events.clock.advance(pause * schedule.JITTER + 1)
    await events.delivered(6)
    await events.idle()
    assert events.clock.waiting_until == [float("inf")]
    assert events.blobs.asked == []


async def test_too_many_attempts_end_as_a_dead_letter_after_five_minutes(events: Events) -> None:
    await events.subscribe(retryPolicy={"maxDeliveryAttempts": 2})
    events.queues.statuses = [503]
    await events.publish(1)
    published = events.clock.now()
    await events.delivered(1)
    await events.idle()
    events.clock.advance(30 * MOST_PAUSE)
    await events.delivered(2)
    await events.idle()
    last = events.clock.now()
    events.clock.advance(schedule.LETTER_DELAY - 1)
    await events.idle()
    assert events.letters() == []
    events.clock.advance(1)
    await eventually(lambda: bool(events.blobs.asked), "a dead letter")
    (blob,) = events.blobs.asked
    name = r"/deadletters/SUB-NOTIFICATION/20\d\d/[1-9]\d?/[1-9]\d?/(\d|1\d|2[0-3])/[0-9a-f-]{36}\.json"
    assert re.fullmatch(name, blob.path)
    assert (blob.method, blob.headers["x-ms-blob-type"]) == ("PUT", "BlockBlob")
    assert blob.caller == bodies.IDENTITY
    (letter,) = events.letters()
    assert letter == bodies.event(
        1,
        deadletterreason="MaxDeliveryAttemptsExceeded",
        deliveryattempts=2,
        lastdeliveryoutcome="Busy",
        publishtime=letter["publishtime"],
        lastdeliveryattempttime=letter["lastdeliveryattempttime"],
    )
    shown = (letter["publishtime"], letter["lastdeliveryattempttime"])
    assert shown == (moment(published), moment(last))
    await events.idle()
    assert events.clock.waiting_until == [float("inf")]


async def test_time_to_live_is_looked_at_when_the_next_attempt_is_due(events: Events) -> None:
    await events.subscribe(retryPolicy={"eventTimeToLiveInMinutes": 1})
    events.queues.statuses = [500]
    await events.publish(1)
    for count, pause in enumerate((10, 30), start=1):
        await events.delivered(count)
        await events.idle()
        events.clock.advance(pause * MOST_PAUSE)
    await events.delivered(3)
    await events.idle()
    events.clock.advance(60 * MOST_PAUSE)  # past its life: the fourth attempt is not made
    await events.idle()
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "a dead letter")
    (letter,) = events.letters()
    assert letter["deadletterreason"] == "TimeToLiveExceeded"
    assert letter["deliveryattempts"] == 3
    assert len(events.queues.asked) == 3


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        (400, "UndeliverableDueToHttpBadRequest", "BadRequest"),
        (403, "UndeliverableDueToHttpForbidden", "Forbidden"),
        (413, "UndeliverableDueToHttpRequestEntityTooLarge", "PayloadTooLarge"),
    ],
)
async def test_what_will_never_succeed_is_not_tried_again(
    events: Events, status: int, reason: str, outcome: str
) -> None:
    await events.subscribe()
    events.queues.statuses = [status]
    await events.publish(1, 2)
    await events.delivered(2)
    await events.idle()
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "dead letters")
    letters = events.letters()
    assert len(events.blobs.asked) == 1, "letters that are due together share a blob"
    assert sorted(letter["id"] for letter in letters) == ["1", "2"]
    assert {(one["deadletterreason"], one["lastdeliveryoutcome"]) for one in letters} == {(reason, outcome)}
    assert len(events.queues.asked) == 2


async def test_a_deleted_queue_is_tried_again_after_five_minutes_and_then_delivered(events: Events) -> None:
    await events.subscribe()
    events.queues.statuses = [404, 201]
    await events.publish(1)
    await events.delivered(1)
    await events.idle()
    events.clock.advance(299)
    await events.idle()
    assert len(events.queues.asked) == 1
    events.clock.advance(300 * MOST_PAUSE - 299)
    assert await events.delivered(2) == [1, 1]


async def test_without_a_place_for_dead_letters_events_are_dropped(events: Events) -> None:
    await events.subscribe(deadLetterWithResourceIdentity=None)
    events.queues.statuses = [400]
    await events.publish(1)
    await events.delivered(1)
    await events.idle()
    assert events.clock.waiting_until == [float("inf")]


async def test_dead_letters_wait_for_their_container_for_four_hours(events: Events) -> None:
    await events.subscribe()
    events.queues.statuses, events.blobs.statuses = [400], [503, 403, 201]
    await events.publish(1)
    await events.delivered(1)
    await events.idle()
    events.clock.advance(schedule.LETTER_DELAY)
    for count in (1, 2, 3):
        await eventually(lambda count=count: len(events.blobs.asked) == count, "a try")  # type: ignore[misc]
        await events.idle()
        events.clock.advance(schedule.LETTER_PAUSE)
    await events.idle()
    assert len(events.blobs.asked) == 3
    events.blobs.statuses = [503]
    await events.publish(2)
    await events.delivered(2)
    await events.idle()
    events.clock.advance(schedule.LETTER_PATIENCE + 1)
    await eventually(lambda: len(events.blobs.asked) == 4, "the last try")
    await events.idle()
    assert events.clock.waiting_until == [float("inf")], "it was dropped"


async def test_a_container_that_is_gone_takes_its_dead_letters_with_it(events: Events) -> None:
    await events.subscribe()
    events.queues.statuses, events.blobs.statuses = [400], [404]
    await events.publish(1)
    await events.delivered(1)
    await events.idle()
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "a try")
    await events.idle()
    assert events.clock.waiting_until == [float("inf")]


async def test_a_hanging_destination_holds_up_no_other_subscription(events: Events) -> None:
    await events.subscribe("sub-slow")
    events.queues.hold = asyncio.Event()
    await events.publish(*range(100))
    await eventually(lambda: len(events.queues.asked) == 32, "as many attempts as may be under way")
    await events.subscribe("sub-fast", filter={"includedEventTypes": ["urgent"]})
    before = len(events.queues.asked)
    await events.publish(1000, type="urgent")
    await eventually(lambda: len(events.queues.asked) == before + 1, "the other lane's attempt")
    events.queues.hold.set()
    await eventually(lambda: len(events.queues.asked) >= 102, "all of them")


async def test_an_identity_that_the_topic_lost_is_an_unauthorized_attempt(events: Events) -> None:
    await events.subscribe(retryPolicy={"maxDeliveryAttempts": 1})
    topic = events.topic
    topic.body["identity"] = {"type": "None"}
    events.world.store.save(topic)
    await events.publish(1)
    await events.idle()
    assert events.queues.asked == []
    topic.body["identity"] = {"type": "SystemAssigned", "principalId": bodies.IDENTITY}
    events.world.store.save(topic)
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "a dead letter")
    assert events.letters()[0]["lastdeliveryoutcome"] == "Unauthorized"


async def test_a_restart_goes_on_with_attempts_and_dead_letters(events: Events) -> None:
    await events.subscribe(retryPolicy={"maxDeliveryAttempts": 2})
    events.queues.statuses = [503]
    await events.publish(1)
    await events.delivered(1)
    await events.idle()
    await events.restart()
    await events.idle()
    assert len(events.queues.asked) == 1, "the pause is kept"
    events.clock.advance(30 * MOST_PAUSE)
    await events.delivered(2)
    await events.idle()
    await events.restart()
    events.clock.advance(schedule.LETTER_DELAY)
    await eventually(lambda: bool(events.blobs.asked), "the dead letter")
    assert events.letters()[0]["deliveryattempts"] == 2
    await events.idle()
    await events.restart()
    await events.idle()
    assert events.clock.waiting_until == [float("inf")], "nothing is left over"


async def test_what_is_accepted_before_the_lane_is_open_is_delivered_then(events: Events) -> None:
    subscription = await events.subscribe()
    await events.grid._end(subscription.id.key)
    await events.publish(1, 2)
    await ExtensionSubscriptionHandler(events.world.services).resume(subscription)
    assert sorted(await events.delivered(2)) == [1, 2]


async def test_deleting_a_subscription_forgets_what_waits_for_it_alone(events: Events) -> None:
    subscription = await events.subscribe()
    other = await events.subscribe("sub-other")
    events.queues.statuses = [503]
    await events.publish(1)
    await events.delivered(2)
    await events.idle()
    await events.world.adelete([ExtensionSubscriptionHandler], subscription)
    assert events.grid._journal.waiting(subscription.id.key) == []
    assert len(events.grid._journal.waiting(other.id.key)) == 1
    events.queues.statuses = [201]
    events.clock.advance(30 * MOST_PAUSE)
    await events.delivered(3)
    await events.idle()
    assert events.grid._journal._reader.execute("SELECT count(*) FROM events").fetchone() == (0,)


async def test_an_expired_subscription_receives_nothing(events: Events) -> None:
    subscription = await events.subscribe()
    subscription.properties["expirationTimeUtc"] = "2020-01-01T00:00:00Z"
    events.world.store.save(subscription)
    await events.publish(1)
    await events.idle()
    assert events.queues.asked == []


async def test_a_rehearsal_may_speed_up_the_schedule(events: Events) -> None:
    file = events.world.services.config.state / PACE
    await events.subscribe()
    events.queues.statuses = [500, 201]
    file.write_text("100")
    await events.publish(1)
    await events.delivered(1)
    await events.idle()
    events.clock.advance(10 * MOST_PAUSE / 100)
    await events.delivered(2)


async def test_a_defect_in_sending_is_an_aborted_attempt(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    await events.subscribe()
    genuine, calls = events.grid._senders.send, []

    async def broken(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise RuntimeError("a defect")
        return await genuine(*given)

    monkeypatch.setattr(events.grid._senders, "send", broken)
    await events.publish(1)
    await eventually(lambda: len(calls) == 1, "the first attempt")
    await events.idle()
    events.clock.advance(10 * MOST_PAUSE)
    assert await events.delivered(1) == [1]


async def test_a_topic_whose_region_is_down_delivers_afterwards(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    await events.subscribe()
    with monkeypatch.context() as outage:
        outage.setattr(events.world.services.regions, "is_down", lambda location: location == "westeurope")
        await events.publish(1)
        await events.idle()
        events.clock.advance(60)
        await events.idle()
        assert events.queues.asked == []
    events.clock.advance(60)
    assert await events.delivered(1) == [1]
