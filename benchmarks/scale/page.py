"""docs/scale.md, written from a study."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.load.markdown import grid
from benchmarks.scale import azure, design, sections
from benchmarks.scale.capacity import Needs, pod_rate, topic_events
from benchmarks.scale.prose import money, paragraph, quantity, rate, seconds, share
from benchmarks.scale.study import MOST_WAITING, Study
from benchmarks.scale.workload import EVENTS, LISTENERS, MODEL_SECONDS

_MONTH_SECONDS = 730 * 3600
#: Of "what a rate needs": name, and how it is said.
_NEEDS: tuple[tuple[str, Callable[[Needs], str]], ...] = (
    ("pods, a processor each", lambda one: f"{one.pods:,}"),
    ("nodes of 8 processors", lambda one: f"{one.nodes:,}"),
    ("calls in flight", lambda one: quantity(one.in_flight)),
    ("Cosmos DB, RU/s", lambda one: quantity(one.cosmos_ru)),
    ("… containers", lambda one: f"{one.containers:,}"),
    ("… physical partitions", lambda one: f"{one.cosmos_partitions:,}"),
    ("… logical partitions (lanes) of an agent", lambda one: f"{one.lanes:,}"),
    ("… data, after its retention", lambda one: quantity(one.cosmos_gb * 1e9, "B")),
    ("ledger, RU/s", lambda one: quantity(one.ledger_ru)),
    ("… shards, as it is built", lambda one: f"{one.ledger_shards:,}"),
    ("SQL, rows a second", lambda one: quantity(one.sql_rows)),
    ("… a day", lambda one: quantity(one.sql_gb_day * 1e9, "B")),
    ("… log", lambda one: f"{quantity(one.sql_log_mbps * 1e6, 'B')}/s"),
    ("… databases (Hyperscale)", lambda one: f"{one.sql_databases:,}"),
    ("Event Grid, events a second", lambda one: quantity(one.events)),
    ("… topics", lambda one: f"{one.topics:,}"),
    ("queues, messages a second", lambda one: quantity(one.messages)),
    ("… queues", lambda one: f"{one.queues:,}"),
    ("… storage accounts", lambda one: f"{one.accounts:,}"),
    ("model, tokens a minute", lambda one: quantity(one.tokens_minute)),
    ("… that count against the quota", lambda one: quantity(one.quota_minute)),
    ("… quotas of tier 6 (region × subscription)", lambda one: f"{one.quotas:,}"),
)


def page(found: Study) -> str:
    parts = [_head(found), _one(found), _needs(found), _costs(found), _limits(found)]
    return "\n\n".join([*parts, sections.simulations(found), _figures()]) + "\n"


def _head(found: Study) -> str:
    measured = found.measured
    written = paragraph(
        "Written by `uv run python -m benchmarks.scale` from the figures of `make bench` "
        "([load.json](../benchmarks/results/load.json)), prod's settings and Azure's own limits; a test "
        "fails when this page is not what the code computes. Measure again or change the code, not this "
        "page."
    )
    where = f"Measured {measured.at} on {measured.machine}."
    if not measured.calm:
        where += " **The machine was busy: processor times are too long, and so pods too many.**"
    return f"# How far it goes\n\n{written}\n\n{where}"


def _one(found: Study) -> str:
    measured, one = found.measured, found.one
    rows = [
        ["processor", f"{measured.cpu_ms:.1f} ms", "measured"],
        ["processor, to consume an event", f"{measured.consume_ms:.1f} ms", "measured"],
        ["memory of a process at its peak", f"{measured.peak_mib:.0f} MiB", "measured"],
        ["tokens asked", f"{measured.prompt_tokens:,.0f}", "the prompts, averaged"],
        ["tokens answered", f"{measured.completion_tokens:,.0f}", "answers that fit, averaged"],
        ["tokens that count against the quota", f"{one.quota_tokens:,.0f}", "asked, and `max_tokens`"],
        ["the model's time", f"{MODEL_SECONDS:g} s", "assumed"],
        ["Cosmos DB", f"{one.cosmos_ru:.0f} RU", "its documents and Azure's charges"],
        ["Cosmos DB, kept", quantity(one.cosmos_bytes, "B"), "a measured execution, and markers"],
        ["SQL, with indexes", quantity(one.sql_bytes, "B"), "the table's columns"],
        ["events, listeners of each", f"{EVENTS:g}, {LISTENERS:g}", "assumed"],
    ]
    said = paragraph(
        "One transaction writes the execution, a marker and two outbox entries (an event and a row); each "
        "entry is written again when it is settled, and whoever consumes the event looks for a marker and "
        "writes one."
    )
    return f"## One execution\n\n{grid(('what', 'how much', 'from'), rows, 'lrl')}\n\n{said}"


def _needs(found: Study) -> str:
    heads = ["executions a second", *(f"{needed.rate:,.0f}" for needed in found.needed)]
    rows = [[name, *(say(needed) for needed in found.needed)] for name, say in _NEEDS]
    pods = paragraph(
        f"A pod does {pod_rate(found.measured, found.utilisation):.0f} a second: its processor is planned "
        f"to be {share(found.utilisation)} busy, the most at which a burst keeps 95 % below "
        f"{seconds(MOST_WAITING)} of waiting (simulated below). There are half as many again, for a zone "
        "that is lost. Each needs a processor of its own, so an agent under load is set `cpu: 1`: the "
        "autoscaler counts shares of what a pod requests, and with the default of `100m` it makes ten "
        "pods where one would do."
    )
    rest = paragraph(
        f"A topic takes {topic_events(found.one):,.0f} events of this size a second. Lanes, queues and "
        "topics are planned 70 % full, since what chance spreads is never even."
    )
    return f"## What a rate needs\n\n{grid(heads, rows)}\n\n{pods}\n\n{rest}"


def _costs(found: Study) -> str:
    heads = ["dollars a month", *(f"{needed.rate:,.0f}/s" for needed in found.needed)]
    rows = [[name, *(money(costs[name]) for costs in found.costs)] for name in found.costs[0]]
    totals = [sum(costs.values()) for costs in found.costs]
    rows.append(["together", *(money(total) for total in totals)])
    each = [
        total / (needed.rate * _MONTH_SECONDS) * 1000
        for total, needed in zip(totals, found.needed, strict=True)
    ]
    rows.append(["for a thousand executions", *(f"{value:.2f}" for value in each)])
    said = paragraph(
        "At list prices, day and night, after a year; Cosmos DB is paid for in both regions. The model's "
        "tokens are the cost, the rest is small beside them: a stable prefix (cached tokens cost a tenth), "
        "the response cache, shorter answers, and batch deployments for what can wait are worth more than "
        "any tuning. Telemetry and stored documents come next: sample the one, keep the other for as long "
        "as somebody reads it."
    )
    return f"## What it costs\n\n{grid(heads, rows)}\n\n{said}"


def _limits(found: Study) -> str:
    rows = [[limit.name, limit.kind, rate(limit.rate), limit.remedy] for limit in found.limits]
    first = next(limit for limit in found.limits if limit.kind == "design")
    said = paragraph(
        f"Settings are raised when they are needed. Of the design, the first to end is: {first.name}, at "
        f"{rate(first.rate)} a second. What to do about it: {first.remedy}."
    )
    return (
        "## What ends first\n\n"
        "Executions a second, day and night, at which each limit is reached as prod is today.\n\n"
        f"{grid(('limit', 'kind', 'at', 'what to do'), rows, 'llrl')}\n\n{said}"
    )


def _figures() -> str:
    rows = [
        [f"{figure.value:,.10g}", figure.unit, figure.seen or "not looked up again", f"<{figure.source}>"]
        for figure in azure.figures().values()
    ]
    said = paragraph(
        f"Nodes are counted {share(design.NODE_SHARE)} full. What is assumed of an execution is in "
        "benchmarks/scale/workload.py; what an index adds to the charge of a write (four paths here) is "
        "not counted."
    )
    return f"## Azure's figures\n\n{grid(('figure', 'of', 'seen', 'source'), rows, 'rlll')}\n\n{said}"
