"""How long a call waits for its tokens when many processes write one ledger under ETags.

Each process has one write in flight, which takes all that was asked meanwhile (app/llm/budget.py); a write
whose ETag is stale is refused, the process reads again and tries again after a moment of its own. Who has
just written knows the newest ETag, so it wins again while the others are still reading: a busy process
starves the rest. `paced` is milder: after a write, a process waits as long as each other needs for one.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from benchmarks.load.percentile import percentile
from benchmarks.scale import design

_SECONDS = 30.0
#: Pause after a refused write, doubled with each up to the most, half of it by chance.
_FIRST_PAUSE, _MOST_PAUSE = 0.01, 0.5
_SEED = 2

Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Contention:
    """Each of `processes` makes `rate` calls a second; `wait` is the p95 of a reservation, in seconds.

    `refused` is the share of those that are waited for longer than a call waits; `asked` and `granted` count.
    """

    processes: int
    rate: float
    paced: bool
    writes_per_second: float
    wait: float
    refused: float
    asked: int
    granted: int


@dataclass
class _Ledger:
    version: int = 0
    asked: int = 0
    waits: list[float] = field(default_factory=list)


@dataclass
class _Process:
    """`wanted` has the instants of reservations, None for settlements: nobody waits for those."""

    wanted: list[float | None] = field(default_factory=list)
    woken: simpy.Event | None = None


def simulate(processes: int, rate: float, *, paced: bool) -> Contention:
    """Half a minute; what was asked and not granted by then has waited until then."""
    world, ledger, chance = simpy.Environment(), _Ledger(), random.Random(_SEED)  # noqa: S311
    everybody = [_Process() for _ in range(processes)]
    pause = (processes - 1) * design.LEDGER_WRITE_SECONDS if paced else 0.0
    for process in everybody:
        world.process(_asks(world, ledger, process, rate, chance))
        world.process(_writes(world, ledger, process, pause, chance))
    world.run(until=_SECONDS)
    left = [_SECONDS - moment for process in everybody for moment in process.wanted if moment is not None]
    waits = ledger.waits + left
    late = sum(wait > design.LEDGER_PATIENCE_SECONDS for wait in waits)
    return Contention(
        processes=processes,
        rate=rate,
        paced=paced,
        writes_per_second=ledger.version / _SECONDS,
        wait=percentile(waits, 0.95),
        refused=late / len(waits),
        asked=ledger.asked,
        granted=len(ledger.waits),
    )


def most_processes(found: list[Contention], most: float) -> int:
    """As many as can share a ledger so that p95 stays below `most` seconds. Raises ValueError if none can."""
    good = [one.processes for one in found if one.wait <= most]
    if not good:
        raise ValueError(f"no number of processes keeps the ledger's p95 below {most} s")
    return max(good)


def _asks(
    world: simpy.Environment, ledger: _Ledger, process: _Process, rate: float, chance: random.Random
) -> Steps:
    """A reservation for every call, and a settlement, which is as frequent."""
    while True:
        yield world.timeout(chance.expovariate(2 * rate))
        reserving = chance.random() < 0.5
        ledger.asked += reserving
        process.wanted.append(world.now if reserving else None)
        if process.woken is not None and not process.woken.triggered:
            process.woken.succeed()


def _writes(
    world: simpy.Environment, ledger: _Ledger, process: _Process, pause: float, chance: random.Random
) -> Steps:
    known, refused = 0, 0
    while True:
        if not process.wanted:
            process.woken = world.event()
            yield process.woken
        if known != ledger.version and refused:
            yield world.timeout(_took(design.LEDGER_READ_SECONDS, chance))
            known = ledger.version
        carried = len(process.wanted)
        yield world.timeout(_took(design.LEDGER_WRITE_SECONDS, chance))
        if known == ledger.version:
            ledger.version += 1
            known, refused = ledger.version, 0
            ledger.waits += [world.now - moment for moment in process.wanted[:carried] if moment is not None]
            del process.wanted[:carried]
            yield world.timeout(pause * 2 * chance.random())
        else:
            refused += 1
            again = min(_MOST_PAUSE, _FIRST_PAUSE * 2.0 ** (refused - 1))
            yield world.timeout(again / 2 * (1 + chance.random()))


def _took(seconds: float, chance: random.Random) -> float:
    """Half of it always, half by chance."""
    return seconds / 2 * (1 + chance.expovariate(1.0))
