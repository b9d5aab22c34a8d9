"""One outage: which region is down, and since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sandbox.arm.regions import ALL, normalise


@dataclass(frozen=True)
class Outage:
    """`since` is seconds since the epoch."""

    region: str
    since: float

    def wire(self) -> dict[str, Any]:
        """As it is stored and answered; the time is UTC, to the millisecond: a drill measures from it."""
        moment = dt.datetime.fromtimestamp(self.since, dt.UTC)
        return {"region": self.region, "since": moment.isoformat(timespec="milliseconds")}


def read(stored: dict[str, Any]) -> Outage:
    return Outage(str(stored["region"]), dt.datetime.fromisoformat(stored["since"]).timestamp())


def region(given: object) -> str:
    """A region's name, of any spelling. Raises ValueError for what this Azure does not have."""
    name = normalise(str(given or ""))
    if name not in ALL:
        raise ValueError(f"there is no region '{given or ''}'; this Azure has {', '.join(ALL)}")
    return name
