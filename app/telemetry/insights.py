"""Application Insights: how spans and log records are told to it.

The exporter's mapping is Microsoft's, but for three things that its public interface leaves no way to say:
which operation a span belongs to (it would take the span's own name), that a call of a model is a dependency
of type `LLM`, and that exceptions keep what they say to themselves. `_span_to_envelope` and
`_span_events_to_envelopes` are private, so the exporter is pinned and tests hold what it sends.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from azure.core.credentials import TokenCredential
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter
from opentelemetry.sdk.trace import ReadableSpan

from app.telemetry.operations import OPERATION, operation_of

#: The library's own reports to Microsoft, its remote configuration, and its statistics of itself.
_OFF = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
)
# Bytes that may wait on disk while the service is away, of the 64 MiB that a pod may write.
_WAITING = 16 * 1024 * 1024
_GEN_AI = "gen_ai.operation.name"
_MODEL_TYPE = "LLM"


class SpanExporter(AzureMonitorTraceExporter):
    def _span_to_envelope(self, span: ReadableSpan) -> Any:
        envelope: Any = super()._span_to_envelope(span)
        data, attributes = envelope.data.base_data, span.attributes or {}
        operation = operation_of(span)  # type: ignore[arg-type]  # the SDK's spans are both
        if operation is not None:
            envelope.tags["ai.operation.name"] = operation
            data.properties.pop(OPERATION, None)
        if _GEN_AI in attributes and envelope.data.base_type == "RemoteDependencyData":
            data.type = _MODEL_TYPE
            data.target = str(
                attributes.get("gen_ai.provider.name")
                or attributes.get("server.address")
                or data.target
                or ""
            )
            data.result_code = str(attributes.get("error.type", data.result_code))
        return envelope

    def _span_events_to_envelopes(self, span: ReadableSpan) -> Sequence[Any]:
        """Libraries record exceptions with their words and a stack that ends in them."""
        envelopes: Sequence[Any] = super()._span_events_to_envelopes(span)
        for envelope in envelopes:
            if envelope.data.base_type == "ExceptionData":
                for told in envelope.data.base_data.exceptions:
                    told.message, told.stack, told.has_full_stack = told.type_name, None, False
        return envelopes


def span_exporter(connection_string: str, credential: TokenCredential) -> SpanExporter:
    return SpanExporter(**_options(connection_string, credential))


def log_exporter(connection_string: str, credential: TokenCredential) -> AzureMonitorLogExporter:
    return AzureMonitorLogExporter(**_options(connection_string, credential))


def _options(connection_string: str, credential: TokenCredential) -> dict[str, Any]:
    """A sending that fails is tried once more at once, then kept on disk and tried again later."""
    for variable in _OFF:
        os.environ[variable] = "true"
    return {
        "connection_string": connection_string,
        "credential": credential,
        "storage_max_size": _WAITING,
        "retry_total": 1,
    }
