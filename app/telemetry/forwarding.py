"""Log records as telemetry: each goes to Application Insights under the span that it was written in."""

from __future__ import annotations

import logging

from opentelemetry import context, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.util.types import AttributeValue

from app.telemetry.logs import correlation_id
from app.telemetry.operations import CORRELATION, OPERATION, operation_of
from app.telemetry.redaction import kind, redact, stack

# What the sending itself has to say would be sent again, and so on; it stays on standard output.
_SENDERS = ("azure.core", "azure.identity", "azure.monitor", "opentelemetry", "urllib3")
_SEVERITIES = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
)


class Forwarding(logging.Handler):
    """Hands records to a provider, which queues them; redacted as those on standard output are."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider
        self.addFilter(lambda record: not record.name.startswith(_SENDERS))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._provider.get_logger(record.name).emit(_translated(record))
        except Exception:  # noqa: BLE001 - as every handler: a log never disturbs what logs
            self.handleError(record)


def _translated(record: logging.LogRecord) -> LogRecord:
    attributes: dict[str, AttributeValue] = {}
    operation = operation_of(trace.get_current_span())
    if operation is not None:
        attributes[OPERATION] = operation
    if correlation_id.get():
        attributes[CORRELATION] = correlation_id.get()
    if record.exc_info and record.exc_info[1]:
        attributes["exception.type"] = kind(record.exc_info[1])
        attributes["exception.stacktrace"] = stack(record.exc_info[1])
    return LogRecord(
        timestamp=int(record.created * 1e9),
        context=context.get_current(),
        severity_text=record.levelname,
        severity_number=_severity(record.levelno),
        body=redact(record.getMessage()),
        attributes=attributes,
    )


def _severity(level: int) -> SeverityNumber:
    return next((severity for least, severity in _SEVERITIES if level >= least), SeverityNumber.DEBUG)
