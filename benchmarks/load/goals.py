"""What the issue asks for, beside what was found."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.load.results import Results, Stage, ratio

_CALLERS, _LATENCY_MS = 100, 50


@dataclass(frozen=True)
class Goal:
    """`found` must stay below `limit`, or reach it where `reach` is set; None was not measured."""

    text: str
    limit: float
    found: float | None
    unit: str
    reach: bool = False

    @property
    def met(self) -> bool | None:
        if self.found is None:
            return None
        return self.found >= self.limit if self.reach else self.found < self.limit


def goals(results: Results) -> list[Goal]:
    stage = results.stage("app", _LATENCY_MS, _CALLERS)
    latencies = sorted({one.latency_ms for one in results.stages})
    added = [
        ratio(results.added_ms("router", latency, 1), results.added_ms("litellm", latency, 1))
        for latency in latencies
    ]
    speed = [
        ratio(results.most_per_second("router", latency), results.most_per_second("litellm", latency))
        for latency in latencies
    ]
    return [
        Goal(
            f"an agent's p95 at {_CALLERS} callers with the {_LATENCY_MS} ms stub",
            500,
            _p95(stage) if stage else None,
            "ms",
        ),
        Goal(
            "the router's added median latency at one caller, of LiteLLM's (worse of the stubs)",
            1 / 3,
            max((one for one in added if one is not None), default=None),
            "times",
        ),
        Goal(
            "the router's most requests per second, of LiteLLM's (worse of the stubs)",
            3,
            min((one for one in speed if one is not None), default=None),
            "times",
            reach=True,
        ),
        Goal("an agent's memory at its peak", 200, results.peak_mib("app"), "MiB"),
        Goal("failed requests", 1, _errors(results), ""),
        Goal("events that were lost, or handled again", 1, _wrong_events(results), ""),
        Goal("answered executions that were not stored", 1, max(0, results.answered - results.stored), ""),
    ]


def _wrong_events(results: Results) -> float | None:
    return results.events.lost + results.events.again if results.events else None


def _p95(stage: Stage) -> float:
    """Without answers there is no latency, which is worse than any."""
    return stage.figures.p95 if stage.figures.good else math.inf


def _errors(results: Results) -> float:
    return sum(stage.figures.errors for stage in results.stages if stage.target == "app")
