"""Which operation telemetry belongs to, and which correlation: attributes that every span carries.

An operation is what a person asks for: `NotificationAgent.Execute` is a request to
`/api/notification/execute` with all that it caused in this process, `NotificationAgent.Process` the handling
of an event.
"""

from __future__ import annotations

import re

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanKind

from app.telemetry.logs import correlation_id

#: Application Insights' own tag for it: the column `operation_Name`.
OPERATION = "ai.operation.name"
#: The key in `customDimensions`, as the runbook's queries spell it.
CORRELATION = "CorrelationId"
_PATH = re.compile(r"/api/(?P<agent>[a-z][a-z0-9]*)/(?P<verb>[a-z]+)")


class Operations(SpanProcessor):
    """Hands the operation down from span to span, and notes the correlation that a span starts under."""

    def __init__(self, agent: str) -> None:
        self._agent = agent

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        operation = operation_of(trace.get_current_span(parent_context)) or self._begun_by(span)
        if operation is not None:
            span.set_attribute(OPERATION, operation)
        if correlation_id.get():
            span.set_attribute(CORRELATION, correlation_id.get())

    def _begun_by(self, span: Span) -> str | None:
        """The operation that a request or an event begins."""
        if span.kind is SpanKind.CONSUMER:
            return _operation(self._agent, "process")
        found = _PATH.match(str((span.attributes or {}).get("url.path", "")))
        return _operation(found["agent"], found["verb"]) if found else None


def operation_of(span: trace.Span) -> str | None:
    """The operation of a span of this process."""
    if not isinstance(span, ReadableSpan) or span.attributes is None:
        return None
    found = span.attributes.get(OPERATION)
    return found if isinstance(found, str) else None


def note_correlation(value: str) -> None:
    """Once a request's correlation is known, which is after its span has begun."""
    trace.get_current_span().set_attribute(CORRELATION, value)


def _operation(agent: str, verb: str) -> str:
    return f"{agent.capitalize()}Agent.{verb.capitalize()}"
