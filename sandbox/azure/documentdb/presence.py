"""In which regions an account was, and when: there a backup of it lies, and there it can be restored."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.azure.documentdb.history import Event
from sandbox.azure.documentdb.journal_file import REGIONS


@dataclass(frozen=True)
class Presence:
    """`start` and `end` in microseconds since the epoch; `end` is None while it lasts."""

    region: str
    start: int
    end: int | None = None

    def covers(self, moment: int) -> bool:
        return self.start <= moment and (self.end is None or moment <= self.end)

    def instance(self, account: str) -> str:
        """The id that the account of that instance id has in this region."""
        return str(uuid.uuid5(uuid.UUID(account), f"{self.region}/{self.start}"))


def presences(events: Iterable[Event], created: int, deleted: int | None) -> tuple[Presence, ...]:
    """The stays of an account made at `created`; what lasts ends when the account was deleted."""
    current: dict[str, int] = {}
    past: list[Presence] = []
    for number, event in enumerate(one for one in events if one.operation == REGIONS):
        # The account was there from the start, though it was noted a moment later.
        moment = event.time if number else created
        left = [region for region in current if region not in event.value]
        past += [Presence(region, current.pop(region), moment) for region in left]
        for region in event.value:
            current.setdefault(region, moment)
    return (*past, *(Presence(region, start, deleted) for region, start in current.items()))
