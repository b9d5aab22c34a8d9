"""`python -m benchmarks.load.events.worker publish|consume …`: one agent's store, relay and consumer, alone.

Settings come from the environment as the application's do; what it does is printed as JSON. It runs in an
environment of the application's own packages, so it imports nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import uuid
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import REGISTRY

from app.credentials import credential
from app.events.event import Event
from app.services import Services
from app.settings import Settings, read
from app.store.events import EventStore
from app.store.executions import Execution, Usage
from app.work import work_of

_LOOK_SECONDS = 0.02


@dataclass
class Handled:
    """What the consumer has handled: seconds from an event's time until then, by the event's id.

    `all` is set when there are `wanted` of them.
    """

    wanted: int
    lags: dict[str, float] = field(default_factory=dict)
    again: int = 0
    first: float = 0.0
    all: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, event: Event) -> None:
        """Counts; what an agent does with an event is measured elsewhere."""
        self.first = self.first or time.monotonic()
        self.again += event.id in self.lags
        began = event.time or datetime.now(UTC)
        self.lags.setdefault(event.id, (datetime.now(UTC) - began).total_seconds())
        if len(self.lags) >= self.wanted:
            self.all.set()


async def publish(
    settings: Settings, count: int, rate: float, callers: int, seconds: float
) -> dict[str, float]:
    """Record executions with an event each, `rate` a second (0: as fast as `callers` can), and publish them.

    Raises TimeoutError when not all are published within `seconds`.
    """
    services, handled = Services.of(settings, credential()), Handled(0)
    store = EventStore(services.cosmos.documents(settings.cosmos.container), account=services.cosmos)
    numbers = iter(range(count))
    async with AsyncExitStack() as stack, asyncio.timeout(seconds):
        stack.push_async_callback(_close, services, store)
        for part in work_of(settings, services, store, handled.handle):
            await stack.enter_async_context(part)
        began, cpu = time.monotonic(), time.process_time()

        async def record_some() -> None:
            for number in numbers:
                if rate:
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                await store.record(_execution(settings.agent), [_event(settings.agent)])

        await asyncio.gather(*(record_some() for _ in range(callers)))
        recorded = time.monotonic()
        await _all_published(settings.agent, count)
        ended = time.monotonic()
        used = time.process_time() - cpu
    return {
        "events": count,
        "recorded_per_second": count / (recorded - began),
        "published_per_second": count / (ended - began),
        "cpu_ms": used * 1000 / count,
    }


async def consume(settings: Settings, count: int, seconds: float) -> dict[str, object]:
    """Handle so many events, or those that come within a time."""
    services, handled = Services.of(settings, credential()), Handled(count)
    store = EventStore(services.cosmos.documents(settings.cosmos.container), account=services.cosmos)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_close, services, store)
        cpu = time.process_time()
        for part in work_of(settings, services, store, handled.handle):
            await stack.enter_async_context(part)
        with suppress(TimeoutError):
            await asyncio.wait_for(handled.all.wait(), seconds)
        ended, used = time.monotonic(), time.process_time() - cpu
    return {
        "events": len(handled.lags),
        "again": handled.again,
        "consumed_per_second": len(handled.lags) / max(ended - handled.first, 1e-9),
        "cpu_ms": used * 1000 / max(1, len(handled.lags)),
        "lags": list(handled.lags.values()),
    }


async def _close(services: Services, store: EventStore) -> None:
    for dependency in services.dependencies:
        await dependency.close()
    await store.close()


async def _all_published(agent: str, count: int) -> None:
    """By the application's own counter, which tells nobody when it changes."""
    while True:
        if (REGISTRY.get_sample_value("event_publishes_total", {"agent": agent}) or 0.0) >= count:
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _execution(agent: str) -> Execution:
    now = datetime.now(UTC)
    return Execution(
        id=str(uuid.uuid4()),
        agent=agent,
        prompt="bench",
        prompt_version="1.0.0",
        input={"text": "in" * 400},
        output={"text": "out" * 400},
        provider="stub",
        model="stub",
        usage=Usage(prompt_tokens=1000, completion_tokens=300),
        correlation_id=str(uuid.uuid4()),
        started_at=now,
        finished_at=now,
    )


def _event(agent: str) -> Event:
    return Event(
        id=str(uuid.uuid4()),
        source=f"/agents/{agent}",
        type=f"agents.{agent}.measured",
        subject="bench",
        time=datetime.now(UTC),
        data={"text": "data" * 250},
        correlationid=str(uuid.uuid4()),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.events.worker", description=__doc__)
    parser.add_argument("part", choices=["publish", "consume"])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second; 0: as fast as it can")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long it may take")
    asked = parser.parse_args()
    settings = read()
    if asked.part == "publish":
        found: object = asyncio.run(publish(settings, asked.count, asked.rate, asked.callers, asked.seconds))
    else:
        found = asyncio.run(consume(settings, asked.count, asked.seconds))
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
