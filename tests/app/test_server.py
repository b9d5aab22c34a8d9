"""The process as the cluster runs it: told to leave, it fails no request, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.api.test_api import EXECUTE, GOOD
from tests.app.conftest import PROMPTS

ROOT = Path(__file__).parents[2]
# A process takes seconds to start, many of them on a busy machine.
pytestmark = pytest.mark.slow
SECONDS = 60.0
#: Where nothing listens, so that nothing leaves the machine and every sending fails.
NOWHERE = "https://127.0.0.1:9"


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@dataclass
class Model:
    """Refuses each request, but not before it is told to."""

    asked: threading.Event = field(default_factory=threading.Event)
    answer: threading.Event = field(default_factory=threading.Event)
    port: int = 0


@pytest.fixture
def model() -> Iterator[Model]:
    found = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            found.asked.set()
            found.answer.wait(SECONDS)
            self.send_response(400)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.answer.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> httpx.Response | None:
        """None when nothing listens, or no longer: a server that closes drops who has just come."""
        try:
            return httpx.get(self.url + path, timeout=SECONDS)
        except httpx.TransportError:
            return None

    def status(self, path: str) -> int | None:
        answer = self.get(path)
        return answer.status_code if answer else None


@pytest.fixture
def start(model: Model, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    processes: list[subprocess.Popen[str]] = []

    def run(**more: str) -> Running:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        token = tmp_path / "token"
        token.write_text("a token of the service account")
        environment = {
            **os.environ,
            "AGENT": "notification",
            "PROMPTS": str(PROMPTS),
            "PORT": str(port),
            "LLMProvider__ProviderType": "Ollama",
            "LLMProvider__Ollama__Endpoint": f"http://127.0.0.1:{model.port}",
            "CosmosDb__Endpoint": NOWHERE,
            "AZURE_FEDERATED_TOKEN_FILE": str(token),
            "AZURE_AUTHORITY_HOST": NOWHERE,
            "AZURE_TENANT_ID": "t",
            "AZURE_CLIENT_ID": "c",
            "TMPDIR": str(tmp_path),
            **more,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "app"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        found = Running(process, f"http://127.0.0.1:{port}")
        _until(lambda: process.poll() is not None or found.status("/readyz") == 200, "the agent")
        return found

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def execution(start: Callable[..., Running]) -> Iterator[Callable[[Running], Future[httpx.Response]]]:
    with ThreadPoolExecutor(1) as pool:
        yield lambda running: pool.submit(httpx.post, running.url + EXECUTE, json=GOOD, timeout=SECONDS)


def test_it_leaves_when_told_and_finishes_what_it_has(
    start: Callable[..., Running],
    model: Model,
    execution: Callable[[Running], Future[httpx.Response]],
) -> None:
    running = start(Shutdown__LeaveSeconds="1")
    under_way = execution(running)
    assert model.asked.wait(SECONDS)
    running.process.send_signal(signal.SIGTERM)
    _until(lambda: running.status("/readyz") == 503, "readiness to go off")
    served = running.get("/healthz")
    assert served is not None
    assert (served.status_code, served.headers["connection"]) == (200, "close")
    _until(lambda: running.get("/healthz") is None, "the end of listening")
    assert not under_way.done()
    model.answer.set()
    assert under_way.result(SECONDS).status_code == 502
    assert running.process.wait(SECONDS) == 0


def test_a_second_signal_does_not_wait(start: Callable[..., Running]) -> None:
    running = start(Shutdown__LeaveSeconds="60")
    running.process.send_signal(signal.SIGTERM)
    _until(lambda: running.status("/readyz") == 503, "readiness to go off")
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(SECONDS)
    assert running.get("/healthz") is None


def test_telemetry_that_cannot_be_sent_disturbs_nothing(
    start: Callable[..., Running],
    model: Model,
    execution: Callable[[Running], Future[httpx.Response]],
) -> None:
    key = "11111111-2222-3333-4444-555555555555"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # It takes connections and says nothing: each attempt waits for its own timeout.
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        running = start(
            APPLICATIONINSIGHTS_CONNECTION_STRING=f"InstrumentationKey={key};IngestionEndpoint={url}/",
            AZURE_AUTHORITY_HOST=url,
        )
        model.answer.set()
        assert execution(running).result(SECONDS).status_code == 502
        asked = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(SECONDS) == 0
    # Far less than the half minute that the SDK would wait for spans, and again for records.
    assert time.monotonic() - asked < 20
