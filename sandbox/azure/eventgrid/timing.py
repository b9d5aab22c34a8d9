"""The time that retries and dead letters are measured in: the wall clock, which a rehearsal may speed up.

`PACE` in the sandbox's state folder holds a number, e.g. `60`: every pause of Event Grid (retry schedule,
time to live, the delay of dead letters) then takes a sixtieth of its documented time. What is scheduled
already keeps its time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PACE = "eventgrid/pace"


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        """Until the event is set, or the seconds have passed (None: for ever)."""


class WallClock:
    def now(self) -> float:
        return time.time()

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            pass


@dataclass(frozen=True)
class Timing:
    """`state` is the sandbox's state folder."""

    state: Path
    clock: Clock

    def now(self) -> float:
        return self.clock.now()

    def scaled(self, seconds: float) -> float:
        """How long a documented time takes here."""
        return seconds / self._pace()

    def _pace(self) -> float:
        try:
            pace = float((self.state / PACE).read_text())
        except (FileNotFoundError, ValueError):
            return 1.0
        return pace if pace > 0 else 1.0
