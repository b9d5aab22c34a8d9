"""Traces and logs, started once for the process and ended with it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from azure.core.credentials import TokenCredential
from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from app.telemetry.forwarding import Forwarding
from app.telemetry.insights import log_exporter, span_exporter
from app.telemetry.operations import Operations

# Asked every few seconds by the cluster; nobody looks for their traces.
_UNTRACED = ("/healthz", "/readyz", "/metrics")
#: How FastAPI traces requests: one span each, part of its caller's trace if it names one. Its log records
#: would quote inputs, its metrics have other names than the ones that are queried.
REQUESTS = TelemetryConfig(
    logs=False,
    metrics=False,
    operation_spans=False,
    auto_configure=False,
    exclude=lambda scope: scope["path"].startswith(_UNTRACED),
)
# Spans and records that wait to be sent; more than that are dropped, the oldest first.
_QUEUE = 2048
_FLUSH_SECONDS = 5.0


class Telemetry:
    """What runs for the process; `close` it when the last request is answered."""

    def __init__(self, tracer: TracerProvider, logger: LoggerProvider) -> None:
        self._tracer, self._logger = tracer, logger

    def close(self) -> None:
        """Send what waits, within a few seconds; what cannot be sent by then is given up."""
        # The SDK's own limit is half a minute for each of the two, which a pod that goes does not have.
        ending = threading.Thread(target=self._shut_down, name="telemetry-flush", daemon=True)
        ending.start()
        ending.join(_FLUSH_SECONDS)

    def _shut_down(self) -> None:
        self._tracer.shutdown()
        self._logger.shutdown()


def start(agent: str, connection_string: str | None, credential: Callable[[], TokenCredential]) -> Telemetry:
    """Trace this process; once. Without a connection string nothing is sent, but traces have their ids, in
    the logs and on the way to others. Sampling is OpenTelemetry's: `OTEL_TRACES_SAMPLER`."""
    resource = Resource.create(
        {"service.name": f"{agent}-agent", "service.instance.id": os.environ.get("HOSTNAME", "local")}
    )
    tracer = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracer.add_span_processor(Operations(agent))
    logger = LoggerProvider(resource=resource, shutdown_on_exit=False)
    if connection_string:
        identity = credential()
        spans, records = span_exporter(connection_string, identity), log_exporter(connection_string, identity)
        tracer.add_span_processor(BatchSpanProcessor(spans, max_queue_size=_QUEUE))
        logger.add_log_record_processor(BatchLogRecordProcessor(records, max_queue_size=_QUEUE))
        logging.getLogger().addHandler(Forwarding(logger))
    trace.set_tracer_provider(tracer)
    HTTPXClientInstrumentor().instrument()
    return Telemetry(tracer, logger)
