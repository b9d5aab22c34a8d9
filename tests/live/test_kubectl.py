"""kubectl, unmodified, on the cluster that the program made, as the runbook uses it."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import TypeVar
from urllib.error import URLError

import pytest

from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

T = TypeVar("T")
NS = ("-n", "agents-dev")
DEPLOYMENT = "deployment/notification-agent"


def _rolled(sandbox: Sandbox) -> None:
    sandbox.kubectl("rollout", "status", DEPLOYMENT, *NS, "--timeout=180s")


def _until(read: Callable[[], T], good: Callable[[T], bool], seconds: float = 90) -> T:
    deadline = time.monotonic() + seconds
    while not good(value := read()):
        assert time.monotonic() < deadline, value
    return value


@pytest.fixture(autouse=True)
def _heal(sandbox: Sandbox) -> object:
    """What a test changed by hand is put back by the program."""
    yield
    sandbox.pulumi("up", "-s", "dev", "--yes", "--skip-preview", "--refresh", timeout=600)


def test_looking_around(sandbox: Sandbox) -> None:
    assert "notification-agent" in sandbox.kubectl("get", "pods", *NS)
    nodes = sandbox.kubectl("get", "nodes", "-o", "name").split()
    assert len(nodes) == 2
    assert "Liveness" in sandbox.kubectl("describe", "pods", *NS)
    assert "initialized" in sandbox.kubectl("logs", *NS, DEPLOYMENT, "--tail=-1")
    assert "python" in sandbox.kubectl("exec", *NS, DEPLOYMENT, "--", "python", "--version").lower()
    idle = sandbox.kubectl("get", "pods", *NS, "--field-selector=status.phase!=Running", "-o", "name").split()
    assert all(name.startswith("pod/migration-") for name in idle), "only the migration has ended"


def test_top(sandbox: Sandbox) -> None:
    nodes = _until(
        lambda: sandbox.run("kubectl", "top", "nodes", check=False), lambda result: result.code == 0
    )
    assert len(nodes.out.strip().splitlines()) == 3
    pods = _until(
        lambda: sandbox.run("kubectl", "top", "pods", *NS, check=False), lambda r: "notification" in r.out
    )
    assert "Mi" in pods.out


def test_scale_restart_history_undo(sandbox: Sandbox) -> None:
    sandbox.kubectl("scale", DEPLOYMENT, "--replicas=2", *NS)
    _rolled(sandbox)
    assert len(sandbox.kubectl("get", "pods", *NS, "-o", "name").split()) >= 2
    sandbox.kubectl("rollout", "restart", DEPLOYMENT, *NS)
    _rolled(sandbox)
    assert len(sandbox.kubectl("rollout", "history", DEPLOYMENT, *NS).strip().splitlines()) >= 4
    sandbox.kubectl("rollout", "undo", DEPLOYMENT, *NS)
    _rolled(sandbox)


def test_set_env_and_image(sandbox: Sandbox) -> None:
    sandbox.kubectl("set", "env", DEPLOYMENT, *NS, "LLMProvider__TimeoutSeconds=30")
    _rolled(sandbox)
    shown = sandbox.kubectl("exec", *NS, DEPLOYMENT, "--", "env")
    assert "LLMProvider__TimeoutSeconds=30" in shown
    image = "acragentsdev.azurecr.azure.test/agents-api-notification:1.0.0"
    sandbox.kubectl("set", "image", DEPLOYMENT, f"notification-agent={image}", *NS)
    _rolled(sandbox)


def test_port_forward(sandbox: Sandbox) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    forward = subprocess.Popen(
        ["kubectl", "port-forward", *NS, DEPLOYMENT, f"{port}:8080"],
        env=sandbox.env,
        stdout=subprocess.DEVNULL,
    )

    def read() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return str(answer.read())
        except (URLError, ConnectionError):
            return ""

    try:
        _until(read, lambda text: "alive" in text, 30)
    finally:
        forward.terminate()
        forward.wait()
