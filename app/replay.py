"""`python -m app.replay`: publish again what could not be delivered or processed.

Two kinds are kept: dead letters of Event Grid (blobs), and letters of the agents themselves (poison, and
events that the topic refused). Each is published once, however often this runs; what all the same comes
twice, or to an agent that has processed it, is known there by its id.

Needs the roles that operators have from the stack, whose outputs are the endpoints: CosmosDb__Endpoint is
`cosmosEndpoint`, EventGrid__Endpoint `eventsEndpoint`, DeadLetters__Endpoint `deadLetters`. In an agent's pod
it replays the letters of agents only.

    python -m app.replay --dry-run
    python -m app.replay --agent devops --since 2026-11-01T00:00:00Z

Exit code 1: something could not be read or published, try again; 2: wrong arguments or settings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.arguments import moment
from app.credentials import credential
from app.dependency import DependencyError, RefusedError
from app.events.deadletters import DeadLetter, DeadLetters
from app.events.event import MalformedError, parse
from app.events.topic import Publisher, Topic
from app.settings import CosmosSettings, DeadLetterSettings, EventSettings
from app.store.documents import Cosmos
from app.store.letters import Letters
from app.telemetry import logs

log = logging.getLogger("app.replay")


class ReplaySettings(BaseSettings):
    """`CosmosDb__…`, `EventGrid__…` as agents have them; without `DeadLetters__…` only letters of agents."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", frozen=True)

    cosmos: CosmosSettings = Field(alias="CosmosDb")
    events: EventSettings = Field(alias="EventGrid")
    dead_letters: DeadLetterSettings | None = Field(alias="DeadLetters", default=None)


@dataclass(frozen=True)
class Selection:
    """Which letters; what is None or empty selects all. `since` and `until` are about when they were kept."""

    agent: str | None = None
    ids: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, letter: Kept) -> bool:
        return (
            (not self.ids or bool(self.ids & {letter.name, letter.event_id}))
            and (self.since is None or letter.kept >= self.since)
            and (self.until is None or letter.kept < self.until)
        )


@dataclass(frozen=True)
class Kept:
    """A letter of either kind. `event` is None when what was kept is not an event: nobody can replay that."""

    agent: str
    name: str
    reason: str
    kept: datetime
    event: dict[str, Any] | None

    @property
    def event_id(self) -> str:
        return str((self.event or {}).get("id", ""))


class Source(Protocol):
    """Event Grid's dead letters; see `DeadLetters`."""

    def all(self, agent: str | None = None) -> AsyncIterator[DeadLetter]: ...


class Replay:
    """`undelivered` is None where dead letters cannot be read."""

    def __init__(self, letters: Letters, topic: Publisher, undelivered: Source | None = None) -> None:
        self._letters, self._topic, self._undelivered = letters, topic, undelivered

    async def run(self, selection: Selection, *, dry: bool) -> list[tuple[Kept, str]]:
        """What was selected and what became of it. With `dry`, nothing is published.

        Raises DependencyError; what was done until then stays done.
        """
        return [(letter, await self._replay(letter, dry=dry)) async for letter in self._selected(selection)]

    async def _selected(self, selection: Selection) -> AsyncIterator[Kept]:
        for one in await self._letters.all(selection.agent):
            letter = Kept(one.agent, one.id, one.reason, one.buried_at, _event(one.text))
            if selection.holds(letter):
                yield letter
        if self._undelivered is None:
            return
        async for dead in self._undelivered.all(selection.agent):
            letter = Kept(dead.agent, dead.name, dead.reason, dead.written, dead.event)
            if selection.holds(letter):
                yield letter

    async def _replay(self, letter: Kept, *, dry: bool) -> str:
        if letter.event is None:
            return "not an event"
        if await self._letters.replayed(letter.agent, letter.name):
            return "replayed before"
        if dry:
            return "would be replayed"
        try:
            await self._topic.publish([letter.event])
        except RefusedError as error:
            return f"refused: {error}"
        # Only now: an event may be published twice, and none is taken for published that is not.
        await self._letters.mark_replayed(letter.agent, letter.name)
        return "replayed"


def _event(text: str) -> dict[str, Any] | None:
    """As it was sent, with attributes that the application does not know."""
    try:
        parse(text)
    except MalformedError:
        return None
    event: dict[str, Any] = json.loads(text)
    return event


async def _main(settings: ReplaySettings, selection: Selection, *, dry: bool) -> list[tuple[Kept, str]]:
    identity = credential()
    cosmos, topic = Cosmos(settings.cosmos, identity), Topic(settings.events, identity)
    dead = DeadLetters(settings.dead_letters, identity) if settings.dead_letters else None
    try:
        letters = Letters(cosmos.documents(settings.cosmos.container))
        return await Replay(letters, topic, dead).run(selection, dry=dry)
    finally:
        for client in (cosmos, topic, dead, identity):
            if client is not None:
                await client.close()


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logs.configure()
    selection = Selection(options.agent, frozenset(options.id), options.since, options.until)
    try:
        # pydantic-settings fills the fields from the environment, which a type checker cannot see.
        settings = ReplaySettings()  # type: ignore[call-arg]
    except ValidationError as error:
        log.error("wrong settings: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    if settings.dead_letters is None:
        log.warning("DeadLetters__Endpoint is not set: what Event Grid could not deliver is left out")
    try:
        done = asyncio.run(_main(settings, selection, dry=options.dry_run))
    except DependencyError as error:
        log.error("stopped: %s", error)  # noqa: TRY400 - as above
        return 1
    for letter, outcome in done:
        sys.stdout.write(_line(letter, outcome) + "\n")
    return 1 if any(outcome.startswith("refused") for _, outcome in done) else 0


def _line(letter: Kept, outcome: str) -> str:
    """One JSON object a line, without the event's data."""
    shown = {
        "outcome": outcome,
        "agent": letter.agent,
        "letter": letter.name,
        "kept": letter.kept.isoformat(),
        "reason": letter.reason,
        "event": letter.event_id or None,
        "type": (letter.event or {}).get("type"),
    }
    return json.dumps(shown, ensure_ascii=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.replay", description="Publish again what could not be delivered or processed."
    )
    parser.add_argument("--agent", help="only what was meant for this agent")
    parser.add_argument("--id", action="append", default=[], help="a letter's or an event's id; repeatable")
    parser.add_argument(
        "--since", type=moment, help="kept at this time (ISO 8601, UTC unless it says) or later"
    )
    parser.add_argument("--until", type=moment, help="kept before this time")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, publish nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
