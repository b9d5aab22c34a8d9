"""A trace goes on from agent to agent: the CloudEvents extension attribute `traceparent` carries it.

https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.telemetry.operations import CORRELATION
from app.telemetry.spans import span

_KEY = "traceparent"
_W3C = TraceContextTextMapPropagator()


def current_traceparent() -> str | None:
    """Where the current trace is, as W3C writes it; None outside of any."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get(_KEY)


@contextmanager
def publishing(events: Iterable[Mapping[str, Any]]) -> Iterator[None]:
    """Send several events at once: a span in the trace of each. What fails, fails for all of them."""
    with ExitStack() as spans:
        for event in events:
            correlation = event.get("correlationid")
            spans.enter_context(
                span(
                    "event.publish",
                    SpanKind.PRODUCER,
                    parent=_sender(event.get(_KEY)),
                    attributes={CORRELATION: correlation} if correlation else None,
                )
            )
        yield


@contextmanager
def continue_from(traceparent: str | None, name: str) -> Iterator[Span]:
    """Handle what came with a `traceparent` as part of its trace; without one, or with one that is malformed,
    as a trace of its own. Set `correlation_id` before, so that the span has it."""
    with span(name, SpanKind.CONSUMER, parent=_sender(traceparent)) as made:
        yield made


def _sender(traceparent: str | None) -> Context:
    return _W3C.extract({_KEY: traceparent} if traceparent else {})
