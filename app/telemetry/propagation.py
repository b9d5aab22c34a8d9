"""A trace goes on from agent to agent: the CloudEvents extension attribute `traceparent` carries it.

https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.telemetry.spans import span

_KEY = "traceparent"
_W3C = TraceContextTextMapPropagator()


def current_traceparent() -> str | None:
    """Where the current trace is, as W3C writes it; None outside of any."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get(_KEY)


@contextmanager
def continue_from(traceparent: str | None, name: str) -> Iterator[Span]:
    """Handle what came with a `traceparent` as part of its trace; without one, or with one that is malformed,
    as a trace of its own. Set `correlation_id` before, so that the span has it."""
    sender = _W3C.extract({_KEY: traceparent} if traceparent else {})
    with span(name, SpanKind.CONSUMER, parent=sender) as made:
        yield made
