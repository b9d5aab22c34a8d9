"""Pods come and go under load, as when Azure patches nodes or an operator scales: no request fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import pods
from tests.live.traffic import Traffic
from tests.sandboxed import Sandbox

# A node comes and goes: minutes.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

CLUSTER = ("--cluster-name", "aks-agents-dev", "-g", "rg-agents-dev")


@pytest.fixture
def traffic(sandbox: Sandbox) -> Traffic:
    url = sandbox.pulumi("stack", "output", "-s", "dev", "agentsUrl").out.strip()
    return Traffic(f"{url}/api/notification", sandbox.env["SSL_CERT_FILE"], callers=6)


@pytest.fixture
def another_node(sandbox: Sandbox) -> Iterator[None]:
    """A pool of a node, beside the one that agents run on."""
    sandbox.az("aks", "nodepool", "add", *CLUSTER, "-n", "spare", "--node-count", "1", timeout=600)
    yield
    sandbox.az("aks", "nodepool", "delete", *CLUSTER, "-n", "spare", timeout=600)


@pytest.fixture
def two_nodes(sandbox: Sandbox, another_node: None) -> Iterator[set[str]]:
    """The names of the nodes that the agent's pods are on."""
    _scale(sandbox, 2)
    # Pods do not move by themselves.
    sandbox.kubectl("rollout", "restart", pods.DEPLOYMENT, *pods.NAMESPACE)
    nodes = {pod["spec"]["nodeName"] for pod in pods.settled(sandbox)}
    assert len(nodes) == 2, "the pods are spread over the nodes"
    yield nodes
    _scale(sandbox, 1)


def test_a_rolling_restart_fails_no_request(sandbox: Sandbox, traffic: Traffic) -> None:
    before = _names(pods.settled(sandbox))
    with traffic:
        for _ in range(2):
            sandbox.kubectl("rollout", "restart", pods.DEPLOYMENT, *pods.NAMESPACE)
            after = _names(pods.settled(sandbox))
            assert not before & after
            before = after
    assert traffic.failures == []
    assert traffic.served > 100


def test_scaling_up_and_down_fails_no_request(sandbox: Sandbox, traffic: Traffic) -> None:
    with traffic:
        for replicas in (3, 1):
            _scale(sandbox, replicas)
    assert traffic.failures == []


def test_draining_a_node_fails_no_request(sandbox: Sandbox, two_nodes: set[str], traffic: Traffic) -> None:
    drained = next(node for node in two_nodes if "spare" not in node)
    with traffic:
        try:
            sandbox.kubectl(
                *("drain", drained, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=480s"),
                timeout=500,
            )
            assert drained not in {pod["spec"]["nodeName"] for pod in pods.settled(sandbox)}
        finally:
            sandbox.kubectl("uncordon", drained)
    assert traffic.failures == []


def _names(found: list[dict[str, Any]]) -> set[str]:
    return {pod["metadata"]["name"] for pod in found}


def _scale(sandbox: Sandbox, replicas: int) -> None:
    sandbox.kubectl("scale", pods.DEPLOYMENT, *pods.NAMESPACE, f"--replicas={replicas}")
    pods.settled(sandbox)
