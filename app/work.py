"""What goes on beside the requests: the budget, the outbox's relays, and the queue's consumer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from pydantic import ValidationError

from app.dependency import RefusedError
from app.events.consumer import Consumer
from app.events.handling import Handler
from app.events.lag import Lag
from app.events.relay import Deliver, Relay
from app.events.topic import Topic
from app.llm.budget import Budget
from app.services import Services
from app.settings import Settings
from app.store.events import EventStore
from app.store.ledger import Ledger
from app.store.letters import Letters
from app.store.markers import Markers
from app.store.outbox import Entry, Outbox, Target
from app.store.records import Record, Records
from app.telemetry.propagation import publishing

Work = AbstractAsyncContextManager[object]


def budget_of(settings: Settings, services: Services) -> Budget | None:
    """The meter of the agent's calls; to be entered before the work and left after it."""
    if settings.budget is None:
        return None
    ledger = Ledger(services.cosmos.documents(settings.cosmos.ledger))
    return Budget(settings.budget, settings.agent, ledger)


def work_of(settings: Settings, services: Services, store: EventStore, handler: Handler) -> list[Work]:
    """In the order in which it begins. It ends the other way round: first no more messages are taken.

    Then what was handled is published.
    """
    documents = services.cosmos.documents(settings.cosmos.container)
    outbox, letters = Outbox(documents, settings.agent), Letters(documents)
    work: list[Work] = []
    for target, deliver in _targets(services):
        relay = Relay(settings.agent, target, deliver, outbox=outbox, letters=letters)
        store.subscribe(relay.offer)
        work.append(relay)
    if services.queue:
        work.append(Lag(settings.agent, services.queue))
        work.append(
            Consumer(
                settings.agent,
                inbox=services.queue,
                handler=handler,
                markers=Markers(documents, settings.agent),
                letters=letters,
                settings=settings.consumer,
            )
        )
    return work


def _targets(services: Services) -> list[tuple[Target, Deliver]]:
    found: list[tuple[Target, Deliver]] = []
    if services.topic:
        found.append(("topic", to_topic(services.topic)))
    if services.records:
        found.append(("sql", to_table(services.records)))
    return found


def to_topic(topic: Topic) -> Deliver:
    async def deliver(entries: Sequence[Entry]) -> None:
        with publishing(entry.body for entry in entries):
            await topic.publish([entry.body for entry in entries])

    return deliver


def to_table(records: Records) -> Deliver:
    async def deliver(entries: Sequence[Entry]) -> None:
        try:
            rows = [Record.model_validate(entry.body) for entry in entries]
        except ValidationError as error:
            # Written by another version of the application; one that waits must not hold up the others.
            raise RefusedError(f"not a row: {error.errors(include_input=False)[0]['msg']}") from error
        await records.write(rows)

    return deliver
