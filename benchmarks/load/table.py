"""The figures as Markdown, for people."""

from __future__ import annotations

from benchmarks.load.events import figures as events
from benchmarks.load.goals import Goal, goals
from benchmarks.load.markdown import grid
from benchmarks.load.results import Results, Stage, levels, ratio

_HEADS = ("model", "callers", "target", "req/s", "p50", "p95", "p99", "errors", "CPU per request", "memory")
#: What is added to the stub's median, and then the agent's and the router's as shares of LiteLLM's.
_COMPARED = ("app", "router", "litellm")
_RATIO_HEADS = (
    "model",
    "callers",
    "agent adds",
    "router adds",
    "LiteLLM adds",
    "added: agent",
    "router",
    "req/s: agent",
    "router",
)


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
    app, router, other = (results.added_ms(name, latency, callers) for name in _COMPARED)
    speeds = [results.stage(name, latency, callers) for name in _COMPARED]
    mine, alone, theirs = (stage.figures.per_second if stage else None for stage in speeds)
    return [
        f"{latency} ms",
        f"{callers}",
        *(_or_dash(added, "{:.1f} ms") for added in (app, router, other)),
        *(_or_dash(ratio(added, other), "{:.2f}") for added in (app, router)),
        *(_or_dash(ratio(speed, theirs), "{:.2f}") for speed in (mine, alone)),
    ]


def _goal(goal: Goal) -> list[str]:
    said = {True: "met", False: "**missed**", None: "not measured"}[goal.met]
    sign = "at least" if goal.reach else "below"
    return [
        goal.text,
        f"{sign} {goal.limit:.3g} {goal.unit}".rstrip(),
        _or_dash(goal.found, "{:,.4g} " + goal.unit).rstrip(),
        said,
    ]


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
