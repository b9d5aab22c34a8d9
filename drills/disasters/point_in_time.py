"""A faulty release overwrites data and writes more of its own; both services go back to the second before."""

from __future__ import annotations

import time
from datetime import timedelta
from types import MappingProxyType

import httpx

from drills import bounds, in_pod
from drills.content import Restored
from drills.drill import Drill, Outcome, Scene
from drills.journal import Sentinel
from drills.leftovers import remove_copies
from drills.stack import Stack
from drills.watch import Watch
from infra.settings.restores import written

#: Seconds of load before and after the damage.
_LOAD_SECONDS = 6
#: How far off the moment is that `wrong-time` restores to.
_WRONG = timedelta(seconds=_LOAD_SECONDS)


class PointInTime(Drill):
    name = "point-in-time"
    broken = "Executions and rows are overwritten and new ones written, for some seconds, in both databases."
    restored_by = "`agents:restores` with the last second that was right, and `pulumi up`"
    rto = 180.0
    azure = (bounds.COSMOS_RESTORE, bounds.SQL_RESTORE)
    sabotages = MappingProxyType({"wrong-time": "content"})

    def play(self, scene: Scene) -> Outcome:
        now = scene.timeline.now
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
            victim = scene.writers.one()
            # The next full second: the load goes on, so that something is written around it.
            as_of = now().replace(microsecond=0) + timedelta(seconds=1)
            time.sleep((as_of - now()).total_seconds())
            scene.timeline.mark(f"the last right second is {written(as_of)}", as_of)
            with scene.timeline.step(f"sentinel {victim.number} is overwritten; faulty executions go on"):
                in_pod.overwrite(scene.shell, scene.stack.names.namespace, victim)
                time.sleep(_LOAD_SECONDS)
            wanted = as_of + _WRONG if "wrong-time" in scene.faults else as_of
            settings = scene.stack.settings(restores=[{"as_of": written(wanted)}])
            with Watch(lambda: _is_right(scene, victim), now) as watch:
                began = now()
                scene.stack.up(settings=settings)
                adopted = now()
                time.sleep(_LOAD_SECONDS)
                operational = adopted if "wrong-time" in scene.faults else watch.wait(30)
        return Outcome(as_of, operational, Restored(as_of, began, adopted), settings)

    def clean(self, stack: Stack) -> None:
        remove_copies(stack)


def _is_right(scene: Scene, victim: Sentinel) -> bool:
    """Whether the overwritten execution is read as it was acknowledged."""
    try:
        answer = scene.agents.read(victim.agent, victim.id)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and answer.json() == victim.answer
