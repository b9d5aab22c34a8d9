"""How long executions wait for a pod's one processor, in ordinary minutes and in a burst.

An execution needs the processor before its model's answer and after it, half each; in between it needs
nothing. The processor serves in the order of arrival, which is what an event loop does. Pods are chosen by
chance, so each sees a Poisson stream of its own, and one pod tells of all. The burst lasts for as long as it
takes until new pods are there.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.load.percentile import percentile

_SECONDS = 240.0
#: From when to when, and how many times the ordinary rate.
_BURST_FROM, _BURST_UNTIL, BURST = 120.0, 180.0, 1.5
_SEED = 1


@dataclass(frozen=True)
class Waiting:
    """Seconds in the system beyond the model's, as p95: ordinarily, and for those that came in the burst."""

    utilisation: float
    ordinary: float
    burst: float
    arrived: int
    finished: int


def simulate(utilisation: float, cpu_seconds: float, model_seconds: float) -> Waiting:
    """A pod whose processor is busy for such a share ordinarily. Until the last execution has finished."""
    chance = random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    arrivals = list(_arrivals(utilisation / cpu_seconds, chance))
    # (when it wants the processor, its number, whether its model has answered)
    wanting = [(moment, number, False) for number, moment in enumerate(arrivals)]
    heapq.heapify(wanting)
    thinking = [chance.expovariate(1 / model_seconds) for _ in arrivals]
    free, spent = 0.0, [0.0] * len(arrivals)
    finished = 0
    while wanting:
        moment, number, answered = heapq.heappop(wanting)
        # Work differs: half of it is always there.
        free = max(free, moment) + cpu_seconds / 4 * (1 + chance.expovariate(1.0))
        if answered:
            finished += 1
            spent[number] = free - arrivals[number] - thinking[number]
        else:
            heapq.heappush(wanting, (free + thinking[number], number, True))
    burst = [spent[number] for number, moment in enumerate(arrivals) if _in_burst(moment)]
    ordinary = [spent[number] for number, moment in enumerate(arrivals) if moment < _BURST_FROM]
    return Waiting(utilisation, percentile(ordinary, 0.95), percentile(burst, 0.95), len(arrivals), finished)


def highest(found: list[Waiting], most: float) -> float:
    """The highest utilisation at which a burst's p95 stays below `most`. Raises ValueError if none does."""
    good = [one.utilisation for one in found if one.burst <= most]
    if not good:
        raise ValueError(f"no utilisation keeps a burst's p95 below {most} s")
    return max(good)


def _arrivals(rate: float, chance: random.Random) -> Iterator[float]:
    moment = chance.expovariate(rate)
    while moment < _SECONDS:
        yield moment
        moment += chance.expovariate(rate * (BURST if _in_burst(moment) else 1))


def _in_burst(moment: float) -> bool:
    return _BURST_FROM <= moment < _BURST_UNTIL
