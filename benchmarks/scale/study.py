"""Everything that docs/scale.md says, computed: measured figures and settings in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from benchmarks.scale import capacity, cost, limits
from benchmarks.scale.capacity import Needs
from benchmarks.scale.design import Design
from benchmarks.scale.limits import Limit
from benchmarks.scale.measured import Measured
from benchmarks.scale.simulation import ledger, queueing, regions, storms
from benchmarks.scale.simulation.ledger import Contention
from benchmarks.scale.simulation.queueing import Waiting
from benchmarks.scale.simulation.regions import Failover, Takeover
from benchmarks.scale.simulation.storms import Policy, Storm
from benchmarks.scale.workload import MODEL_SECONDS, Execution, execution

RATES = (10.0, 1_000.0, 100_000.0)
#: What a burst may add to one execution in twenty, and the ledger to one call in twenty, in seconds.
MOST_WAITING, MOST_LEDGER_WAITING = 0.25, 0.5
_UTILISATIONS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8)
_PROCESSES = (1, 2, 3, 5, 10, 20)
#: A process that reserves blocks of tokens for so many seconds writes once in that time.
BLOCK_SECONDS = 10.0
_BLOCK_PROCESSES = (10, 100, 300)
_QUOTAS = (0.5, 0.75, 1.0, 1.25)
_STANDBYS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Study:
    measured: Measured
    built: Design
    one: Execution
    waiting: list[Waiting]
    utilisation: float
    contention: list[Contention]
    blocks: list[Contention]
    ledger_pods: int
    needed: list[Needs]
    costs: list[dict[str, float]]
    limits: list[Limit]
    storms: list[Storm]
    failovers: list[Failover]
    takeovers: list[Takeover]


@cache
def study(measured: Measured, built: Design) -> Study:
    """The same for the same figures: everything by chance is seeded."""
    one = execution(measured)
    waiting = [
        queueing.simulate(utilisation, capacity.cpu_seconds(measured), MODEL_SECONDS)
        for utilisation in _UTILISATIONS
    ]
    utilisation = queueing.highest(waiting, MOST_WAITING)
    rate = capacity.pod_rate(measured, utilisation)
    contention = [
        ledger.simulate(processes, rate, paced=paced) for paced in (False, True) for processes in _PROCESSES
    ]
    blocks = [ledger.simulate(processes, 1 / BLOCK_SECONDS, paced=False) for processes in _BLOCK_PROCESSES]
    ledger_pods = ledger.most_processes([one for one in contention if not one.paced], MOST_LEDGER_WAITING)
    needed = [
        capacity.needs(each, measured, one, built, utilisation=utilisation, ledger_pods=ledger_pods)
        for each in RATES
    ]
    return Study(
        measured=measured,
        built=built,
        one=one,
        waiting=waiting,
        utilisation=utilisation,
        contention=contention,
        blocks=blocks,
        ledger_pods=ledger_pods,
        needed=needed,
        costs=[cost.monthly(each, measured, one) for each in needed],
        limits=limits.limits(measured, one, built, utilisation=utilisation, ledger_pods=ledger_pods),
        storms=[storms.simulate(policy) for policy in Policy],
        failovers=[regions.fail_over(quota) for quota in _QUOTAS],
        takeovers=[regions.take_over(standby) for standby in _STANDBYS],
    )
