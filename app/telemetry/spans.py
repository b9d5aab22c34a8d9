"""Spans of the application's own steps: `prompt.load`, `event.publish`, …"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from app.telemetry.redaction import kind as kind_of

_TRACER = trace.get_tracer("app")


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: Context | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Iterator[Span]:
    """Measure a step of the current trace, or of `parent`'s. One that raises has failed, and `error.type` is
    the type of its error: what the error says may quote an input, so it is not kept."""
    with _TRACER.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except Exception as error:
            made.set_attribute("error.type", kind_of(error))
            made.set_status(Status(StatusCode.ERROR))
            raise
