"""An ingestion endpoint on loopback that keeps what the real exporter sends, and a process that is traced."""

from __future__ import annotations

import gzip
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.telemetry.logs import correlation_id
from app.telemetry.operations import Operations

KEY = "11111111-2222-3333-4444-555555555555"


@dataclass
class Ingestion:
    """`status` is what it answers; envelopes are kept in any case."""

    port: int = 0
    status: int = 200
    texts: list[str] = field(default_factory=list)

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{self.port}/"

    @property
    def envelopes(self) -> list[Any]:
        return [envelope for text in self.texts for envelope in json.loads(text)]

    def of(self, base_type: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """(tags, data) of what was sent of a type."""
        found = [one for one in self.envelopes if one["data"]["baseType"] == base_type]
        return [(one["tags"], one["data"]["baseData"]) for one in found]


@pytest.fixture(autouse=True)
def uncorrelated() -> Iterator[None]:
    """What a test sets is gone after it: tests that are no coroutines share a context."""
    token = correlation_id.set("")
    yield
    correlation_id.reset(token)


@pytest.fixture
def ingestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingestion]:
    # Where the exporter keeps what it could not send.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = Ingestion()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            plain = gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw
            found.texts.append(plain.decode())
            count = len(json.loads(plain))
            body = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
            self.send_response(found.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join(5)


_KEPT = InMemorySpanExporter()


@pytest.fixture(scope="session")
def _tracing() -> TracerProvider:
    """The process's own, which can be set once."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Operations("notification"))
    provider.add_span_processor(SimpleSpanProcessor(_KEPT))
    trace.set_tracer_provider(provider)
    return provider


@pytest.fixture
def traced(_tracing: TracerProvider) -> InMemorySpanExporter:
    """What ends in this test."""
    _KEPT.clear()
    return _KEPT
