"""A region lost at peak: what the other one's quota, and its pods, have to be.

The model: calls go to the second region's deployment, whose quota is a share of the peak. Azure refuses what
exceeds the quota with 429; the router tries again within its retry budget and the caller's patience.
The pods: all traffic comes to the stamp that is left, which has a share of the pods that the peak needs, and
grows as the autoscaler and new nodes come. What waits longer than a request may is lost.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from app.llm.breaker import Breaker
from app.llm.limits import RetryBudget
from app.settings import BreakerSettings, LimitSettings

_SEED = 4
#: Calls a second at peak, and seconds before and after the loss.
_RATE, _BEFORE, _AFTER = 50.0, 30.0, 600.0
#: The quota is enforced over so many seconds.
_QUOTA_WINDOW = 10.0
_RETRY_SECONDS = 1.0
#: The first new pods after a minute (metrics, scheduling, start), on nodes that have room; then nodes come.
_FIRST_PODS, _NODES = 60.0, 240.0
#: What fits on the nodes that are there, beside what runs.
_ROOM = 1.5
_PATIENCE = 60.0


@dataclass(frozen=True)
class Failover:
    """`quota` in shares of the peak; shares of calls that failed in the first ten seconds, and afterwards."""

    quota: float
    calls: int
    first: float
    afterwards: float


@dataclass(frozen=True)
class Takeover:
    """`standby` in shares of the pods that the peak needs; `lost` in seconds of the peak's calls.

    `recovered` seconds after the loss nobody waits any more.
    """

    standby: float
    lost: float
    recovered: float
    longest_wait: float


class _Quota:
    """So many calls in any window, as the service counts them."""

    def __init__(self, per_second: float) -> None:
        self._most, self._kept = per_second * _QUOTA_WINDOW, per_second * _QUOTA_WINDOW
        self._rate, self._seen = per_second, 0.0

    def admit(self, now: float) -> bool:
        self._kept = min(self._most, self._kept + (now - self._seen) * self._rate)
        self._seen = now
        if self._kept < 1:
            return False
        self._kept -= 1
        return True


def fail_over(quota: float) -> Failover:
    """The first region's model is gone: refused connections, which cost no time."""
    chance, now = random.Random(_SEED), 0.0  # noqa: S311 - reproducible, not secret
    breaker, second = Breaker(BreakerSettings(), lambda: now), _Quota(quota * _RATE)
    limits = LimitSettings()
    budget = RetryBudget(limits.retry_share, limits.retry_burst)
    outcomes: list[tuple[float, bool]] = []
    pending: list[tuple[float, float]] = []
    coming = chance.expovariate(_RATE)
    while coming < _BEFORE + _AFTER or pending:
        again = min(pending, default=(float("inf"), 0.0))
        fresh = coming <= again[0] and coming < _BEFORE + _AFTER
        now, began = (coming, coming) if fresh else again
        if fresh:
            budget.earn()
            coming += chance.expovariate(_RATE)
        else:
            pending.remove(again)
        if _answered(now, breaker, second):
            outcomes.append((began, True))
        elif fresh and budget.spend():
            pending.append((now + _RETRY_SECONDS, began))
        else:
            outcomes.append((began, False))
    return Failover(
        quota=quota,
        calls=len(outcomes),
        first=_failed(outcomes, _BEFORE, _BEFORE + 10),
        afterwards=_failed(outcomes, _BEFORE + 10, _BEFORE + _AFTER),
    )


def _answered(now: float, breaker: Breaker, second: _Quota) -> bool:
    permit = breaker.admit()
    if permit is not None:
        if now < _BEFORE:
            permit.succeeded()
            return True
        permit.failed()
    return second.admit(now)


def _failed(outcomes: list[tuple[float, bool]], start: float, end: float) -> float:
    found = [good for began, good in outcomes if start <= began < end]
    return 1 - sum(found) / len(found) if found else 0.0


def take_over(standby: float) -> Takeover:
    """Second by second; load and capacity in shares of the peak. Whoever has waited too long leaves."""
    waiting: list[list[float]] = []  # [since when, how much], oldest first
    lost = longest = 0.0
    recovered, second = 0.0, 0
    while second < _AFTER or waiting:
        if second < _AFTER:
            waiting.append([second, 1.0])
        room = _capacity(standby, second)
        while waiting and room > 0:
            served = min(room, waiting[0][1])
            room -= served
            waiting[0][1] -= served
            longest = max(longest, second - waiting[0][0])
            if waiting[0][1] <= 1e-9:
                waiting.pop(0)
        while waiting and second - waiting[0][0] >= _PATIENCE:
            lost += waiting.pop(0)[1]
        if waiting and second < _AFTER:
            recovered = second + 1
        second += 1
    return Takeover(standby, lost, recovered, longest)


def _capacity(standby: float, second: float) -> float:
    if second < _FIRST_PODS:
        return standby
    if second < _NODES:
        return min(1.25, standby * _ROOM)
    # Utilisation is planned below one, so there is some to catch up with.
    return 1.25
