"""One run: every target under every number of callers, in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import machine, targets, wrk
from benchmarks.load.events.figures import EventFigures
from benchmarks.load.events.run import measure as measure_events
from benchmarks.load.prompts import costs
from benchmarks.load.results import Request, Results, Stage
from benchmarks.load.stubs.model import completion
from benchmarks.load.targets import AGENT, Bench, Target

#: Connections are opened and caches filled before what counts.
_WARM_UP_SECONDS = 2.0


@dataclass(frozen=True)
class Plan:
    """`only` names the targets, `latencies` the model's, in milliseconds.

    Events: so many that wait when they are consumed, and then `event_rate` a second for `event_seconds`.
    """

    seconds: float
    callers: Sequence[int]
    latencies: Sequence[int]
    only: Sequence[str]
    backlog: int = 2_000
    event_rate: float = 20.0
    event_seconds: float = 30.0


def measure(plan: Plan) -> Results:
    """Raises StartError, MissingError, WorkerError, and HTTPStatusError for a target that does not work."""
    found = machine.describe()
    # Where others are at work, the scheduler knows better who should run where.
    measured_on, rest = processors() if found.calm else ([], [])
    with (
        tempfile.TemporaryDirectory(prefix="load-") as folder,
        targets.running(plan.only, Path(folder), measured_on, rest) as bench,
    ):
        stages = _stages(plan, bench, rest)
        stored = bench.stored()
    events = _events(plan) if targets.EVENTS in plan.only else None
    return Results(
        machine=found,
        seconds=plan.seconds,
        request=_request(bench),
        prompts=tuple(costs()),
        stages=tuple(stages),
        answered=sum(stage.figures.good for stage in stages if stage.target == "app"),
        stored=stored,
        events=events,
    )


def _events(plan: Plan) -> EventFigures:
    with tempfile.TemporaryDirectory(prefix="events-") as folder:
        return measure_events(
            Path(folder), backlog=plan.backlog, rate=plan.event_rate, seconds=plan.event_seconds
        )


def processors() -> tuple[list[int], list[int]]:
    """(what is measured, the rest): the last processor is the measured program's own, where there are two."""
    *rest, last = sorted(os.sched_getaffinity(0))
    return ([last], rest) if rest else ([], [])


def _stages(plan: Plan, bench: Bench, rest: Sequence[int]) -> list[Stage]:
    stages = []
    for latency in plan.latencies:
        bench.set_latency(latency)
        for callers in plan.callers:
            for target in bench.targets:
                stage = _stage(target, latency, callers, plan.seconds, rest)
                stages.append(stage)
                _say(stage)
    return stages


def _stage(target: Target, latency: int, callers: int, seconds: float, rest: Sequence[int]) -> Stage:
    wrk.drive(target.load, callers, _WARM_UP_SECONDS, rest)
    target.process.settle()
    before = target.process.weigh()
    figures = wrk.drive(target.load, callers, seconds, rest)
    target.process.settle()
    after = target.process.weigh()
    used = after.cpu_seconds - before.cpu_seconds
    return Stage(
        target=target.name,
        latency_ms=latency,
        callers=callers,
        figures=figures,
        cpu_ms=round(used * 1000 / max(1, figures.requests), 3),
        peak_mib=round(after.peak_mib, 1),
    )


def _request(bench: Bench) -> Request:
    usage = completion(dict(bench.chat))["usage"]
    return Request(
        agent=AGENT,
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        chat_bytes=len(json.dumps(bench.chat).encode()),
        execution_bytes=bench.execution_bytes,
    )


def _say(stage: Stage) -> None:
    figures = stage.figures
    print(  # noqa: T201
        f"{stage.latency_ms:>3} ms model, {stage.callers:>3} callers, {stage.target:<8} "
        f"{figures.per_second:>8,.0f} req/s, p50 {figures.p50:>7.1f} ms, p95 {figures.p95:>7.1f} ms, "
        f"{figures.errors} errors",
        file=sys.stderr,
        flush=True,
    )
