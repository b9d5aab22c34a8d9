"""The figures as Markdown, for people."""

from __future__ import annotations

from benchmarks.load.events import figures as events
from benchmarks.load.goals import Goal, goals
from benchmarks.load.markdown import grid
from benchmarks.load.results import Results, Stage, levels, ratio

_HEADS = ("model", "callers", "target", "req/s", "p50", "p95", "p99", "errors", "CPU per request", "memory")
_RATIO_HEADS = ("model", "callers", "agent adds", "LiteLLM adds", "added, ratio", "req/s, ratio")


def page(results: Results) -> str:
    machine, request = results.machine, results.request
    busy = "" if machine.calm else " **The machine was busy: compare within the run only.**"
    where = (
        f"{machine.at}: {machine.cores} cores ({machine.processor}), load {machine.load:.1f}, "
        f"Python {machine.python}; {results.seconds:g} s a stage."
    )
    what = (
        f"One execution of {request.agent}: {request.prompt_tokens:,} tokens asked, "
        f"{request.completion_tokens:,} answered, {request.chat_bytes:,} bytes to the model."
    )
    return "\n\n".join(
        [
            where + busy,
            what,
            grid(_HEADS, [_stage(stage) for stage in _ordered(results)]),
            grid(_RATIO_HEADS, [_ratios(results, *level) for level in levels(results.stages)]),
            *([events.table(results.events)] if results.events else []),
            grid(("goal", "limit", "found", ""), [_goal(goal) for goal in goals(results)]),
        ]
    )


def _ordered(results: Results) -> list[Stage]:
    return sorted(results.stages, key=lambda stage: (stage.latency_ms, stage.callers))


def _stage(stage: Stage) -> list[str]:
    figures = stage.figures
    return [
        f"{stage.latency_ms} ms",
        f"{stage.callers}",
        stage.target,
        f"{figures.per_second:,.0f}",
        *(f"{value:.1f} ms" for value in (figures.p50, figures.p95, figures.p99)),
        f"{figures.errors}",
        f"{stage.cpu_ms:.2f} ms",
        f"{stage.peak_mib:.0f} MiB",
    ]


def _ratios(results: Results, latency: int, callers: int) -> list[str]:
    app, other = (results.added_ms(name, latency, callers) for name in ("app", "litellm"))
    mine, theirs = (results.stage(name, latency, callers) for name in ("app", "litellm"))
    speed = ratio(mine.figures.per_second if mine else None, theirs.figures.per_second if theirs else None)
    return [
        f"{latency} ms",
        f"{callers}",
        _or_dash(app, "{:.1f} ms"),
        _or_dash(other, "{:.1f} ms"),
        _or_dash(ratio(app, other), "{:.2f}"),
        _or_dash(speed, "{:.2f}"),
    ]


def _goal(goal: Goal) -> list[str]:
    said = {True: "met", False: "**missed**", None: "not measured"}[goal.met]
    sign = "at least" if goal.reach else "below"
    return [
        goal.text,
        f"{sign} {goal.limit:.3g} {goal.unit}".rstrip(),
        _or_dash(goal.found, "{:.3g} " + goal.unit).rstrip(),
        said,
    ]


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
