"""The region is lost, and nothing of SQL fails over: the stamp has the newest backup of the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from drills import bounds
from drills.cut import RowsLost
from drills.disasters.region_loss import RESOLUTION, RegionLoss
from drills.drill import Outcome, Scene
from drills.journal import Sentinel
from drills.leftovers import remove_copies
from drills.report import Check
from drills.shell import Shell
from drills.stack import Stack
from drills.stamp import Stamp

#: How old, in seconds, backups are made at least, and how much older they can be: the sandbox archives a log
#: once a minute (docs/adr/0019-a-stamp-with-data-of-its-own.md).
_AGE, _ARCHIVED = 15.0, 60.0
_WHY = (
    f"the history is the newest geo-redundant backup, {_AGE:.0f} s old or up to {_ARCHIVED:.0f} s more; what "
    "came later is lost with the region. Executions are in Cosmos DB"
)


class GeoRestore(RegionLoss):
    """Executions must all be there; rows of the history as far as the backup has them.

    The way back fetches the stamp's database: what the stamp wrote must be in the environment afterwards.
    """

    name = "geo-restore"
    broken = "The region is lost under load, and there is no failover group."
    restored_by = "`agents:recovery.sql` `geo-restore`, `pulumi up -s dev-dr`, then fetched back"
    azure = (bounds.COSMOS_REGIONS, bounds.SQL_GEO_RESTORE, bounds.REGISTRY, bounds.EVENTS)
    wider: ClassVar[Mapping[str, Any]] = MappingProxyType({"agents:sql": {"failover_group": False}})
    own: ClassVar[Mapping[str, Any]] = MappingProxyType({"agents:recovery": {"sql": "geo-restore"}})
    lag = _AGE

    def prepare(self, shell: Shell) -> None:
        shell.sandbox("fault", "backups", "--service", "sql", "--seconds", str(_AGE))

    def outcome(self, failed: datetime, operational: datetime) -> Outcome:
        margin = timedelta(seconds=RESOLUTION)
        oldest = failed - timedelta(seconds=_AGE + _ARCHIVED) - margin
        return Outcome(failed, operational, rows_lost=RowsLost((oldest, failed + margin), _WHY))

    def look(self, scene: Scene, outcome: Outcome) -> Sequence[Check]:
        return (
            history_lost(scene.writers.sentinels, {one.id for one in scene.books().rows}, outcome.failed),
        )

    def take_back(self, stamp: Stamp, now: datetime) -> Path | None:
        entry = stamp.fetch(now, ("sql",))
        stamp.take_back(now)
        return stamp.declared.settings(restores=[entry])

    def clean(self, stack: Stack) -> None:
        remove_copies(stack)


def history_lost(sentinels: Sequence[Sentinel], rows: set[str], failed: datetime) -> Check:
    """How far before the failure rows begin to be lost: no later than backups were made, and not too early.

    The newest row says nothing: what agents still owed to the history is written by the stamp's.
    """
    lost = [
        one.acknowledged
        for one in sentinels
        if one.acknowledged and one.acknowledged <= failed and one.id not in rows
    ]
    if not lost:
        return Check(name="age of the backup", looked_at="", problems=["no row is lost: nothing was tested"])
    seconds = (failed - min(lost)).total_seconds()
    least, most = _AGE - RESOLUTION, _AGE + _ARCHIVED + RESOLUTION
    problems = [] if least <= seconds <= most else [f"not between {least:.0f} s and {most:.0f} s"]
    looked_at = f"{len(lost)} rows lost, the oldest of {seconds:.1f} s before"
    return Check(name="age of the backup", looked_at=looked_at, problems=problems)
