"""The outages in force. Kept on disk: a region stays down when the process that serves Azure is killed."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.arm.regions import normalise
from sandbox.config import Config
from sandbox.host import files
from sandbox.outages import model
from sandbox.outages.model import Outage

log = logging.getLogger(__name__)


def path(config: Config) -> Path:
    return config.state / "outages.json"


class Outages:
    """Implements `services.Regions`. Used from one event loop; a change is on disk before it is in force."""

    def __init__(self, place: Path, now: Callable[[], float] = time.time) -> None:
        self._place = place
        self._now = now
        self._outages = _load(place)
        self._changed = asyncio.Event()

    def is_down(self, location: str | None) -> bool:
        return bool(self._outages) and location is not None and normalise(location) in self._outages

    def since(self, location: str | None) -> float | None:
        outage = self._outages.get(normalise(location)) if location is not None else None
        return outage.since if outage is not None else None

    def all(self) -> list[Outage]:
        """In the order in which they began."""
        return sorted(self._outages.values(), key=lambda one: one.since)

    def begin(self, given: object) -> Outage:
        """Raises ValueError for a region that there is not, or that is down already."""
        name = model.region(given)
        known = self._outages.get(name)
        if known is not None:
            raise ValueError(f"{name} is down already, since {known.wire()['since']}")
        # As it is stored, to the millisecond: what is lost by then is the same after a restart.
        outage = Outage(name, math.floor(self._now() * 1000) / 1000)
        self._become({**self._outages, name: outage})
        log.warning("%s is down", name)
        return outage

    def end(self, given: object) -> Outage:
        """Raises ValueError for a region that there is not, or that is up."""
        name = model.region(given)
        if name not in self._outages:
            raise ValueError(f"{name} is up: there is no outage to end")
        outage = self._outages[name]
        self._become({key: one for key, one in self._outages.items() if key != name})
        log.warning("%s is up again", name)
        return outage

    async def change(self) -> None:
        """Return when an outage has begun or ended."""
        await self._changed.wait()

    def _become(self, outages: dict[str, Outage]) -> None:
        files.write(self._place, json.dumps([one.wire() for one in outages.values()], indent=2))
        self._outages = outages
        self._changed.set()
        self._changed = asyncio.Event()


def _load(place: Path) -> dict[str, Outage]:
    if not place.is_file():
        return {}
    found = [model.read(one) for one in json.loads(place.read_text())]
    return {one.region: one for one in found}
