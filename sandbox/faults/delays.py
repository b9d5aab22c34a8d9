"""Delays on demand: how far the copies of data are behind it, which is what a loss then loses.

Two kinds: of replication, between the regions of a Cosmos DB account or the servers of a failover group, and
of backups, behind which nothing newer can be restored. Unlike other faults they are kept on disk: what will
be lost must not depend on which process was killed meanwhile.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sandbox.config import Config
from sandbox.faults import model
from sandbox.host import files
from sandbox.services import Store

log = logging.getLogger(__name__)

REPLICATION, BACKUPS = "replication", "backups"
_TARGETS = (REPLICATION, BACKUPS)
#: What has a delay, by its service.
_TYPES: Mapping[str, str] = {
    "cosmos": "Microsoft.DocumentDB/databaseAccounts",
    "sql": "Microsoft.Sql/servers",
}
#: Seconds. Azure's worst, an hour, is that of geo-redundant backups of SQL; beyond it, a link between servers
#: would hold more of the log than memory should.
_LONGEST = 3600.0


def path(config: Config) -> Path:
    return config.state / "delays.json"


@dataclass(frozen=True)
class Delay:
    """`name` is a pattern like those of file names, for accounts or servers; `number` is for clearing it."""

    target: str
    service: str
    name: str
    seconds: float
    number: int

    def wire(self) -> dict[str, Any]:
        return {"number": self.number, **self.stored()}

    def stored(self) -> dict[str, Any]:
        return {"target": self.target, "service": self.service, "name": self.name, "seconds": self.seconds}

    def of(self, target: str, service: str, names: tuple[str, ...]) -> bool:
        pattern = self.name.lower()
        return (self.target, self.service) == (target, service) and any(
            fnmatchcase(name.lower(), pattern) for name in names
        )


class Delays:
    """Implements `services.Delays`. Used from one event loop; a change is on disk before it is in force."""

    def __init__(self, place: Path, store: Store) -> None:
        self._place = place
        self._store = store
        stored = json.loads(place.read_text()) if place.is_file() else []
        self._delays = [Delay(**one, number=next(model.numbers)) for one in stored]

    def all(self) -> list[Delay]:
        """In the order in which they were set."""
        return list(self._delays)

    def set(self, given: dict[str, Any]) -> Delay:
        """Put a delay in force in place of the one of the same name; of 0 seconds, end it.

        Raises ValueError that says what is wrong.
        """
        delay = self._read(given)
        others = [one for one in self._delays if {**one.stored(), "seconds": delay.seconds} != delay.stored()]
        self._become([*others, delay] if delay.seconds else others)
        log.warning("delay: %s", delay.stored())
        return delay

    def clear(self, number: int | None = None) -> int:
        """End one, or all; how many were ended."""
        kept = [one for one in self._delays if number is not None and one.number != number]
        count = len(self._delays) - len(kept)
        if count:
            self._become(kept)
        return count

    def replication(self, service: str, *names: str) -> float:
        return self._seconds(REPLICATION, service, names)

    def backups(self, service: str, *names: str) -> float:
        return self._seconds(BACKUPS, service, names)

    def _seconds(self, target: str, service: str, names: tuple[str, ...]) -> float:
        """Of several delays for one, that which was set last."""
        found = (one.seconds for one in reversed(self._delays) if one.of(target, service, names))
        return next(found, 0.0)

    def _become(self, delays: list[Delay]) -> None:
        files.write(self._place, json.dumps([one.stored() for one in delays], indent=2))
        self._delays = delays

    def _read(self, given: dict[str, Any]) -> Delay:
        target, service, name = (str(given.get(key)) for key in ("target", "service", "name"))
        if target not in _TARGETS:
            raise ValueError(f"there is no delay of '{target}'; there are those of {' and '.join(_TARGETS)}")
        if service not in _TYPES:
            raise ValueError(f"the service '{service}' has no such delay; say one of {', '.join(_TYPES)}")
        try:
            seconds = float(given["seconds"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"a delay is a number of seconds, not '{given.get('seconds')}'") from None
        if not 0 <= seconds <= _LONGEST:
            raise ValueError(f"a delay is from 0 to {_LONGEST:g} seconds, not {seconds:g}")
        known = sorted({one.id.name for one in self._store.list(type=_TYPES[service])})
        # A pattern may be for what is yet to be made; a whole name that there is not is a slip.
        if not set("*?[") & set(name) and name.lower() not in {one.lower() for one in known}:
            there = f"there are {', '.join(known)}" if known else "there is none"
            raise ValueError(f"{_TYPES[service]} has no '{name}'; {there}")
        return Delay(target, service, name, seconds, next(model.numbers))
