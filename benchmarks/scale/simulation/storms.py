"""What retries do to a model that slows down: it recovers, or it does not.

The model serves so many calls at once, in the order of arrival, and goes on with a call whose caller has
gone. For a minute it takes ten times as long. Callers give a call up after the settings' time for an attempt;
what they do then differs: nothing, a client's usual retries, or the router's breaker and retry budget, which
are the application's own code here (app/llm/breaker.py, app/llm/limits.py), each pod with its own.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import simpy

from app.llm.breaker import Breaker, Permit
from app.llm.limits import RetryBudget
from app.settings import BreakerSettings, LimitSettings, LLMSettings
from benchmarks.scale.workload import MODEL_SECONDS

_SECONDS, _FAULT_FROM, _FAULT_UNTIL, _SLOWER = 600.0, 120.0, 180.0, 10.0
_PLACES, _LOAD, _PODS = 20, 0.7, 3
#: The settings' time for one attempt (`LLMProvider__AttemptSeconds`).
_PATIENCE: float = LLMSettings.model_fields["attempt_seconds"].default
#: The pause before a client's first retry, doubled with each; half of it by chance.
_PAUSE = 0.5
_WINDOW = 10.0
_GOOD = 0.99
_SEED = 3

Steps = Generator[simpy.Event, Any, bool]


class Policy(StrEnum):
    """Those that retry make as many attempts as the router's settings allow."""

    NO_RETRY = "no retries"
    RETRIES = "retries"
    ROUTER = "breaker and retry budget"
    ROUTER_WITH_BACKUP = "the same, with a second region"


@dataclass(frozen=True)
class Storm:
    """`attempts` for a call on average; `answered` shares of calls made during the fault and after it.

    `recovery` is how long after the fault's end all but a hundredth were answered again for good, None for
    never in the simulated time. `queue` is the most that waited at the model.
    """

    policy: Policy
    calls: int
    answered: int
    failed: int
    attempts: float
    during: float
    after: float
    recovery: float | None
    queue: int


@dataclass
class _Model:
    world: simpy.Environment
    chance: random.Random
    places: simpy.Resource
    breaks: bool
    asked: int = 0
    queue: int = 0

    def call(self) -> Generator[simpy.Event, Any, None]:
        self.asked += 1
        with self.places.request() as place:
            self.queue = max(self.queue, len(self.places.queue))
            yield place
            slow = self.breaks and _FAULT_FROM <= self.world.now < _FAULT_UNTIL
            yield self.world.timeout(self.chance.expovariate(1 / MODEL_SECONDS) * (_SLOWER if slow else 1.0))


@dataclass
class _Pod:
    """What a pod knows of its models, the first of which is preferred."""

    world: simpy.Environment
    models: list[_Model]
    limits: LimitSettings = field(default_factory=LimitSettings)

    def __post_init__(self) -> None:
        self.breakers = [Breaker(BreakerSettings(), lambda: self.world.now) for _ in self.models]
        self.budget = RetryBudget(self.limits.retry_share, self.limits.retry_burst)

    def permit(self) -> tuple[_Model, Permit] | None:
        for early in (False, True):
            for model, breaker in zip(self.models, self.breakers, strict=True):
                if permit := breaker.admit(early=early):
                    return model, permit
        return None


def simulate(policy: Policy) -> Storm:
    world, chance = simpy.Environment(), random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    models = [_Model(world, chance, simpy.Resource(world, _PLACES), breaks=True)]
    if policy is Policy.ROUTER_WITH_BACKUP:
        models.append(_Model(world, chance, simpy.Resource(world, _PLACES), breaks=False))
    pods = [_Pod(world, models) for _ in range(_PODS)]
    outcomes: list[tuple[float, bool]] = []
    world.process(_arrive(world, chance, policy, pods, outcomes))
    world.run(until=_SECONDS)
    # Those of the last minutes may still be under way.
    counted = [one for one in outcomes if one[0] < _SECONDS - 4 * _PATIENCE - _WINDOW]
    return Storm(
        policy=policy,
        calls=len(counted),
        answered=sum(good for _, good in counted),
        failed=sum(not good for _, good in counted),
        attempts=sum(model.asked for model in models) / max(1, len(outcomes)),
        during=_share(counted, _FAULT_FROM, _FAULT_UNTIL),
        after=_share(counted, _FAULT_UNTIL, _SECONDS),
        recovery=_recovery(counted),
        queue=max(model.queue for model in models),
    )


def _arrive(
    world: simpy.Environment,
    chance: random.Random,
    policy: Policy,
    pods: list[_Pod],
    outcomes: list[tuple[float, bool]],
) -> Generator[simpy.Event, Any, None]:
    rate = _LOAD * _PLACES / MODEL_SECONDS
    while True:
        yield world.timeout(chance.expovariate(rate))
        world.process(_caller(world, chance, policy, chance.choice(pods), outcomes))


def _caller(
    world: simpy.Environment,
    chance: random.Random,
    policy: Policy,
    pod: _Pod,
    outcomes: list[tuple[float, bool]],
) -> Generator[simpy.Event, Any, None]:
    began = world.now
    routed = policy in {Policy.ROUTER, Policy.ROUTER_WITH_BACKUP}
    steps = _routed(world, chance, pod) if routed else _plain(world, chance, policy, pod)
    good = yield from steps
    outcomes.append((began, good))


def _plain(world: simpy.Environment, chance: random.Random, policy: Policy, pod: _Pod) -> Steps:
    attempts = 1 if policy is Policy.NO_RETRY else pod.limits.attempts
    for attempt in range(attempts):
        if attempt:
            yield world.timeout(_PAUSE * 2 ** (attempt - 1) * (1 + chance.random()) / 2)
        if (yield from _in_time(world, pod.models[0])):
            return True
    return False


def _routed(world: simpy.Environment, chance: random.Random, pod: _Pod) -> Steps:
    """As app/llm/journey.py goes about it: another provider at once, the same only out of the budget."""
    pod.budget.earn()
    tried: set[int] = set()
    for attempt in range(pod.limits.attempts):
        found = pod.permit()
        if found is None and attempt == 0:
            yield world.timeout(pod.limits.wait_seconds)
            found = pod.permit()
        if found is None:
            return False
        model, permit = found
        if id(model) in tried:
            if not pod.budget.spend():
                permit.abandoned()
                return False
            yield world.timeout(_PAUSE * (1 + chance.random()) / 2)
        tried.add(id(model))
        if (yield from _in_time(world, model)):
            permit.succeeded()
            return True
        permit.failed()
    return False


def _in_time(world: simpy.Environment, model: _Model) -> Steps:
    call = world.process(model.call())
    yield call | world.timeout(_PATIENCE)
    return call.triggered


def _share(outcomes: list[tuple[float, bool]], start: float, end: float) -> float:
    found = [good for began, good in outcomes if start <= began < end]
    return sum(found) / len(found) if found else 1.0


def _recovery(outcomes: list[tuple[float, bool]]) -> float | None:
    """From the end of the fault to the first window after which every window is good."""
    last = max((began for began, _ in outcomes), default=0.0)
    windows = int((last - _FAULT_UNTIL) // _WINDOW)
    starts = [_FAULT_UNTIL + _WINDOW * number for number in range(windows)]
    bad = [start for start in starts if _share(outcomes, start, start + _WINDOW) < _GOOD]
    if not bad:
        return 0.0
    return None if bad[-1] == starts[-1] else bad[-1] + _WINDOW - _FAULT_UNTIL
