"""`python -m app.republish`: publish again what was published and nobody has acted upon.

For after a region was lost: what its topic and queues still held is gone, or comes with the region. Run it
where the events shall be consumed. Whatever all the same comes twice is known by its id; so it can be run
again at any time, and be killed at any moment.

Needs to read the container of events and to publish. CosmosDb__Endpoint and EventGrid__Endpoint as agents
have them; Republish__Listeners is a JSON object of the agents and the event types that each listens to.

    python -m app.republish --dry-run
    python -m app.republish --since 2026-11-28T09:00:00Z

Without --since it is all that the outbox still has: a day. Exit code 1: something could not be read or
published, try again; 2: wrong arguments or settings.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.arguments import moment
from app.credentials import credential
from app.dependency import DependencyError, RefusedError
from app.events.topic import Publisher, Topic
from app.events.unconsumed import Search, Unconsumed, line
from app.settings import CosmosSettings, EventSettings
from app.store.documents import Cosmos
from app.telemetry import logs

log = logging.getLogger("app.republish")
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class RepublishSettings(BaseSettings):
    """`CosmosDb__…` and `EventGrid__…` as agents have them."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", frozen=True)

    cosmos: CosmosSettings = Field(alias="CosmosDb")
    events: EventSettings = Field(alias="EventGrid")
    listeners: dict[str, tuple[str, ...]] = Field(alias="Republish__Listeners", min_length=1)


async def republish(
    search: Search, topic: Publisher, since: datetime, *, dry: bool
) -> AsyncIterator[tuple[Unconsumed, str]]:
    """What nobody has acted upon, and what became of it. Raises DependencyError; what was done stays done."""
    async for found in search.since(since):
        for one, outcome in zip(found, await _publish(found, topic, dry=dry), strict=True):
            yield one, outcome


async def _publish(found: Sequence[Unconsumed], topic: Publisher, *, dry: bool) -> list[str]:
    """Together, or one by one where the topic refuses them together."""
    if dry:
        return ["would be published"] * len(found)
    try:
        await topic.publish([one.body for one in found])
    except RefusedError as error:
        if len(found) == 1:
            return [f"refused: {error}"]
        return [outcome for one in found for outcome in await _publish([one], topic, dry=False)]
    return ["published"] * len(found)


async def _main(settings: RepublishSettings, since: datetime, *, dry: bool) -> bool:
    """Whether the topic took all."""
    identity = credential()
    cosmos, topic = Cosmos(settings.cosmos, identity), Topic(settings.events, identity)
    count = refused = 0
    try:
        search = Search(cosmos.documents(settings.cosmos.container), settings.listeners)
        async for one, outcome in republish(search, topic, since, dry=dry):
            sys.stdout.write(line(one, outcome) + "\n")
            count += 1
            refused += outcome.startswith("refused")
    finally:
        for client in (cosmos, topic, identity):
            await client.close()
    log.info("%d events were not acted upon, %d of them are refused for good", count, refused)
    return not refused


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logs.configure()
    try:
        # pydantic-settings fills the fields from the environment, which a type checker cannot see.
        settings = RepublishSettings()  # type: ignore[call-arg]
    except ValidationError as error:
        log.error("wrong settings: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    try:
        whole = asyncio.run(_main(settings, options.since, dry=options.dry_run))
    except DependencyError as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - as above
        return 1
    return 0 if whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.republish", description="Publish again what nobody has acted upon."
    )
    parser.add_argument(
        "--since",
        type=moment,
        default=_BEGINNING,
        help="published at this time (ISO 8601, UTC unless it says) or later",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be published, publish nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
