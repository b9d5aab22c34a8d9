"""What was found of events, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.load.markdown import grid
from benchmarks.load.percentile import percentile


@dataclass(frozen=True)
class EventFigures:
    """Throughputs of one process each; lags in seconds, of `rate` events a second that came steadily.

    `lost` were published and not handled, `again` handled more than once: both must be none.
    """

    events: int
    recorded_per_second: float
    published_per_second: float
    publish_cpu_ms: float
    consumed_per_second: float
    consume_cpu_ms: float
    rate: float
    lag_p50: float
    lag_p95: float
    lag_p99: float
    lost: int
    again: int

    @classmethod
    def of(
        cls,
        published: Mapping[str, Any],
        consumed: Mapping[str, Any],
        steadily_published: Mapping[str, Any],
        steadily_consumed: Mapping[str, Any],
        rate: float,
    ) -> Self:
        """From what the workers said: a backlog published and then consumed, and both at once at a rate."""
        lags = steadily_consumed["lags"]
        asked = published["events"] + steadily_published["events"]
        return cls(
            events=asked,
            recorded_per_second=published["recorded_per_second"],
            published_per_second=published["published_per_second"],
            publish_cpu_ms=published["cpu_ms"],
            consumed_per_second=consumed["consumed_per_second"],
            consume_cpu_ms=consumed["cpu_ms"],
            rate=rate,
            lag_p50=percentile(lags, 0.5),
            lag_p95=percentile(lags, 0.95),
            lag_p99=percentile(lags, 0.99),
            lost=asked - consumed["events"] - steadily_consumed["events"],
            again=consumed["again"] + steadily_consumed["again"],
        )


def table(found: EventFigures) -> str:
    rows = [
        ["executions recorded with an event", f"{found.recorded_per_second:,.0f} a second"],
        ["published", f"{found.published_per_second:,.0f} a second"],
        ["… processor time of one", f"{found.publish_cpu_ms:.2f} ms"],
        ["consumed, from a backlog", f"{found.consumed_per_second:,.0f} a second"],
        ["… processor time of one", f"{found.consume_cpu_ms:.2f} ms"],
        [f"lag at {found.rate:g} a second: p50", f"{found.lag_p50 * 1000:.0f} ms"],
        ["… p95", f"{found.lag_p95 * 1000:.0f} ms"],
        ["… p99", f"{found.lag_p99 * 1000:.0f} ms"],
        ["lost", f"{found.lost} of {found.events:,}"],
        ["handled again", f"{found.again}"],
    ]
    return grid(("events, one process each way", ""), rows)
