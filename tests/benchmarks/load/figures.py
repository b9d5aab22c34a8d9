"""Results to compute with, made of a few numbers."""

from __future__ import annotations

from benchmarks.load.events.figures import EventFigures
from benchmarks.load.machine import Machine
from benchmarks.load.prompts import PromptCost
from benchmarks.load.results import Request, Results, Stage
from benchmarks.load.wrk import Figures

CALM = Machine("processor", 2, 24.0, "6.1", "3.11.7", 0.1, "2026-11-28T00:00:00+00:00")

EVENTS = EventFigures(
    events=2600,
    recorded_per_second=500.0,
    published_per_second=450.0,
    publish_cpu_ms=1.5,
    consumed_per_second=200.0,
    consume_cpu_ms=3.0,
    rate=20.0,
    lag_p50=0.5,
    lag_p95=1.0,
    lag_p99=1.1,
    lost=0,
    again=0,
)


def figures(per_second: float = 100.0, p50: float = 10.0, p95: float = 20.0, errors: int = 0) -> Figures:
    return Figures(
        requests=round(per_second * 10) + errors,
        seconds=10.0,
        p50=p50,
        p95=p95,
        p99=p95 * 2,
        slowest=p95 * 3,
        errors=errors,
    )


def stage(
    target: str,
    latency_ms: int,
    callers: int,
    found: Figures,
    *,
    cpu_ms: float = 2.0,
    peak_mib: float = 100.0,
) -> Stage:
    return Stage(target, latency_ms, callers, found, cpu_ms, peak_mib)


def results(*stages: Stage, machine: Machine = CALM, answered: int = 0, stored: int = 0) -> Results:
    request = Request("servicedesk", 1000, 300, 4000, 2000)
    prompts = (PromptCost("notification", 400, 100, 600), PromptCost("servicedesk", 1000, 300, 900))
    return Results(machine, 10.0, request, prompts, stages, answered, stored)
