"""The region is lost; a stamp in the paired region takes over, and gives back when the region is there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from drills import bounds, stamp_checks
from drills.content import Behind
from drills.cut import RowsLost
from drills.drill import Drill, Outcome, Scene
from drills.exposure import survey
from drills.figures import rto
from drills.report import Check
from drills.rights import held
from drills.shell import Shell
from drills.stack import NOTHING
from drills.stamp import Stamp, wait_until_whole
from drills.watch import Watch

_LOAD_SECONDS = 6
#: Seconds after `pulumi up` for names and routes to settle: the record is remembered for 60 s.
_SETTLE_SECONDS = 120
#: Seconds that the way back may leave callers unanswered, in the sandbox.
_BACK_SECONDS = 300.0
#: Seconds: callers write about once a second, and a region is not lost at once.
RESOLUTION = 3.0
_LAG = 10.0
_WHY = (
    "Cosmos DB and SQL are behind by about the same, not by exactly the same: of what was written last, "
    "one may have what the other has not"
)


class RegionLoss(Drill):
    """It is out of order from the first request on that nobody answers.

    `lag`: how far, in seconds, the copies or backups in the paired region are behind. `wider` and `own`:
    settings of the environment and of its stamp.
    """

    name = "region-loss"
    broken = "The region is lost under load, with an incident under way."
    restored_by = "`pulumi up -s dev-dr`, then the way back"
    rto = 180.0
    azure = (bounds.COSMOS_REGIONS, bounds.SQL_GROUP, bounds.REGISTRY, bounds.EVENTS)
    lag: float = 0.0
    wider: ClassVar[Mapping[str, Any]] = NOTHING
    own: ClassVar[Mapping[str, Any]] = NOTHING

    def play(self, scene: Scene) -> Outcome:
        stack, shell = scene.stack, scene.shell
        stamp = Stamp(stack, self.wider, self.own)
        with scene.timeline.step(f"{stack.name} gets copies in a second region"):
            stamp.source.up()
        stamp.stack.pulumi("stack select", "--create")
        original = stamp_checks.Original(
            survey=stamp_checks.own(stack, survey(shell, stack.names.resource_group)), rights=held(stack)
        )
        region = str(shell.az("group", "show", "-n", stack.names.resource_group)["location"])
        checks = [stamp_checks.refused(stamp.stack)]
        self.prepare(shell)
        outcome = self._lost(scene, stamp, region)
        at_stamp = replace(scene, stack=stamp.stack)
        checks += stamp_checks.judge(at_stamp, outcome, original)
        checks += self.look(at_stamp, outcome)
        back, settings = self._back(scene, stamp, region)
        with scene.timeline.step(f"{stack.name} by its own settings again"):
            stamp.narrow(settings)
        return replace(outcome, checks=(*outcome.checks, *checks, back), settings=settings)

    def prepare(self, shell: Shell) -> None:
        """Make the copies as old as they shall be when the region is lost."""
        for service in ("cosmos", "sql") if self.lag else ():
            shell.sandbox("fault", "replication", "--service", service, "--seconds", str(self.lag))

    def look(self, scene: Scene, outcome: Outcome) -> Sequence[Check]:  # noqa: ARG002 - of the stamp
        """What this drill alone judges the stamp by."""
        return ()

    def take_back(self, stamp: Stamp, now: datetime) -> Path | None:
        """The last step of the way back; settings that the environment has from then on."""
        stamp.take_back(now)
        return None

    def _lost(self, scene: Scene, stamp: Stamp, region: str) -> Outcome:
        now, shell = scene.timeline.now, scene.shell
        with scene.writers:
            # So long that something is older than what the copies are behind.
            time.sleep(_LOAD_SECONDS + 2 * self.lag)
            scene.incidents(1)
            began = now()
            with scene.timeline.step(f"sandbox outage {region}"):
                shell.sandbox("outage", region)
            # Callers that were under way wait for their answer a minute; who asks now learns at once.
            with Watch(lambda: not scene.serves(), now) as lost:
                lost.wait(_SETTLE_SECONDS)
            if scene.serves():
                raise RuntimeError("the agents answer although their region is lost: nothing was broken")
            with Watch(scene.serves, now) as watch:
                stamp.stack.up()
                operational = watch.wait(_SETTLE_SECONDS)
            time.sleep(_LOAD_SECONDS)
        failed = scene.writers.unanswered_since(began)
        if failed is None:
            raise RuntimeError("every caller was answered although the region was lost")
        return self.outcome(failed, operational)

    def outcome(self, failed: datetime, operational: datetime) -> Outcome:
        """Without a lag nothing may be missing."""
        if not self.lag:
            return Outcome(failed, operational)
        behind = Behind(failed, self.lag, RESOLUTION, served=operational)
        return Outcome(failed, operational, behind, rows_lost=RowsLost(behind.cut, _WHY))

    def _back(self, scene: Scene, stamp: Stamp, region: str) -> tuple[Check, Path | None]:
        """As docs/recovery.md has it, under load: what it leaves unanswered, and for how long."""
        now = scene.timeline.now
        scene.shell.sandbox("outage", region, "--end")
        with scene.timeline.step(f"until {region} is whole again"):
            wait_until_whole(stamp.source)
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
            asked = now()
            stamp.enter("drained")
            if scene.serves():
                raise RuntimeError("the agents answer although the stamp is drained")
            stamp.enter("returned")
            with Watch(scene.serves, now) as watch:
                settings = self.take_back(stamp, now())
                back = watch.wait(_SETTLE_SECONDS)
            time.sleep(_LOAD_SECONDS)
        gone = scene.writers.unanswered_since(asked)
        stamp.remove()
        return _unanswered(gone, back), settings


class RegionLossBehind(RegionLoss):
    """RPO is what was injected, to within its resolution."""

    name = "region-loss-behind"
    broken = f"The region is lost under load, and the copies in the paired one are {_LAG:.0f} s behind."
    rpo = _LAG + RESOLUTION
    lag = _LAG


def _unanswered(gone: datetime | None, back: datetime) -> Check:
    seconds = rto(gone or back, back)
    late: Sequence[str] = () if seconds <= _BACK_SECONDS else (f"more than {_BACK_SECONDS:.0f} s",)
    looked_at = f"unanswered for {seconds:.1f} s"
    return Check(name="the way back", looked_at=looked_at, problems=list(late))
