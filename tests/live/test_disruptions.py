"""Pods come and go under load, as when Azure patches nodes or an operator scales: no request fails."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.live.traffic import Traffic
from tests.sandboxed import Sandbox
from tests.waiting import until

# A node comes and goes: minutes.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

NAMESPACE = ("-n", "agents-dev")
DEPLOYMENT = "deployment/notification-agent"
SELECTOR = ("-l", "app.kubernetes.io/name=notification-agent")
CLUSTER = ("--cluster-name", "aks-agents-dev", "-g", "rg-agents-dev")


@pytest.fixture
def traffic(sandbox: Sandbox) -> Traffic:
    url = sandbox.pulumi("stack", "output", "-s", "dev", "agentsUrl").out.strip()
    return Traffic(f"{url}/api/notification", sandbox.env["SSL_CERT_FILE"], callers=6)


@pytest.fixture
def two_pods(sandbox: Sandbox) -> Iterator[None]:
    """Of the agent, instead of one."""
    _scale(sandbox, 2)
    yield
    _scale(sandbox, 1)


@pytest.fixture
def another_node(sandbox: Sandbox) -> Iterator[None]:
    """A pool of a node, beside the one that agents run on."""
    sandbox.az("aks", "nodepool", "add", *CLUSTER, "-n", "spare", "--node-count", "1", timeout=600)
    yield
    sandbox.az("aks", "nodepool", "delete", *CLUSTER, "-n", "spare", timeout=600)


def test_a_rolling_restart_fails_no_request(sandbox: Sandbox, traffic: Traffic) -> None:
    with traffic:
        for _ in range(2):
            sandbox.kubectl("rollout", "restart", DEPLOYMENT, *NAMESPACE)
            sandbox.kubectl("rollout", "status", DEPLOYMENT, *NAMESPACE, "--timeout=240s")
        _until_gone(sandbox, 1)
    assert traffic.failures == []
    assert traffic.served > 100


def test_scaling_up_and_down_fails_no_request(sandbox: Sandbox, traffic: Traffic) -> None:
    with traffic:
        _scale(sandbox, 2)
        _scale(sandbox, 1)
        _until_gone(sandbox, 1)
    assert traffic.failures == []


def test_draining_a_node_fails_no_request(
    sandbox: Sandbox, another_node: None, two_pods: None, traffic: Traffic
) -> None:
    before = _nodes(sandbox)
    assert len(set(before)) == 2, "the pods are spread over the nodes"
    drained = next(node for node in before if "spare" not in node)
    with traffic:
        try:
            sandbox.kubectl(
                *("drain", drained, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=480s"),
                timeout=500,
            )
            sandbox.kubectl("rollout", "status", DEPLOYMENT, *NAMESPACE, "--timeout=240s")
            assert drained not in _nodes(sandbox)
        finally:
            sandbox.kubectl("uncordon", drained)
    assert traffic.failures == []


def _scale(sandbox: Sandbox, replicas: int) -> None:
    sandbox.kubectl("scale", DEPLOYMENT, *NAMESPACE, f"--replicas={replicas}")
    sandbox.kubectl("rollout", "status", DEPLOYMENT, *NAMESPACE, "--timeout=240s")


def _nodes(sandbox: Sandbox) -> list[str]:
    """Of the agent's pods that are to stay."""
    pods = json.loads(sandbox.kubectl("get", "pods", *NAMESPACE, *SELECTOR, "-o", "json"))["items"]
    return [pod["spec"]["nodeName"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def _until_gone(sandbox: Sandbox, left: int) -> None:
    """Those that left the service still answer what they had begun; then they end."""
    names = ("get", "pods", *NAMESPACE, *SELECTOR, "-o", "name")
    until(
        lambda: sandbox.kubectl(*names).split(),
        lambda found: len(found) == left,
        seconds=240,
        what="the other pods end",
    )
