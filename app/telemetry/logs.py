"""Structured logs: one JSON object a line on standard output, with the ids of its request and its trace."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from opentelemetry import trace

from app.telemetry.redaction import redact, stack

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
_QUIET = ("azure", "httpx", "httpx2", "openai", "uvicorn.access")


class JsonFormatter(logging.Formatter):
    """time (UTC, ISO 8601), level, logger, message, correlationId, traceId, spanId, exception; the last four
    where there are any. Credentials are removed, and of exceptions what they say."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if correlation_id.get():
            entry["correlationId"] = correlation_id.get()
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            entry["traceId"] = trace.format_trace_id(span.trace_id)
            entry["spanId"] = trace.format_span_id(span.span_id)
        if record.exc_info and record.exc_info[1]:
            entry["exception"] = stack(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=False)


def configure() -> None:
    """Send every logger through the JSON formatter. The SDKs' own request logs stay off."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
