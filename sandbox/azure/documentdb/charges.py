"""Request units: what an operation costs, and what a container may spend in a second.

Figures for 1 KB and 100 KB items, straight lines between and beyond. Source:
https://learn.microsoft.com/azure/cosmos-db/request-units and /key-value-store-cost
"""

from __future__ import annotations

import time
from dataclasses import dataclass

_KIB = 1024
_READ = (1.0, 10.0)
_WRITE = (5.0, 50.0)
#: A query's own part, before what it reads.
_QUERY = 2.3
#: What a serverless container may use.
SERVERLESS = 5000


def _line(ends: tuple[float, float], size: int) -> float:
    low, high = ends
    return round(low + max(0.0, size / _KIB - 1) * (high - low) / 99, 2)


def read(size: int) -> float:
    return _line(_READ, size)


def write(size: int, *, replaces: bool = False) -> float:
    """Replacing takes the old version out of the index as well."""
    return round(_line(_WRITE, size) * (2 if replaces else 1), 2)


def query(size: int) -> float:
    """`size` is that of the page answered."""
    return round(_QUERY + _line(_READ, size) - 1, 2)


@dataclass
class Meter:
    """What one container, or one database that shares its throughput, has left of its RU/s.

    What an operation costs is known only after it: a balance below zero refuses the next ones until it is
    made good, at so many units a second.
    """

    units: int
    balance: float
    at: float

    def wait(self, units: int) -> float:
        """Seconds until an operation may run: 0 for at once."""
        now = time.monotonic()
        self.units = units
        self.balance = min(float(units), self.balance + (now - self.at) * units)
        self.at = now
        return max(0.0, -self.balance / units)

    def spend(self, charge: float) -> None:
        self.balance -= charge


class Meters:
    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}

    def of(self, owner: str, units: int) -> Meter:
        """The meter of a container or database, by its resource id."""
        meter = self._meters.get(owner)
        if meter is None:
            meter = self._meters[owner] = Meter(units, float(units), time.monotonic())
        return meter
