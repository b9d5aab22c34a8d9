"""A node's labels, taints and draining, against an API of a few lines."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.aks import bodies, kubenode, layout
from sandbox.aks.api import Api, ApiError
from sandbox.aks.settings import ClusterSettings, PoolSettings, read_cluster, read_pool
from sandbox.aks.versions import KUBERNETES
from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.config import TENANT_ID, Config
from sandbox.names import Names
from tests.sandbox.aks.objects import cluster_put

PODS = IPv4Network("10.244.0.0/24")


class Kubernetes:
    """Holds one node and some pods; merges patches as an API server would."""

    def __init__(self, node: dict[str, Any]) -> None:
        self.node: dict[str, Any] | None = node
        self.lease: dict[str, Any] | None = None
        self.pods: list[dict[str, Any]] = []
        self.evicted: list[str] = []
        self.held: set[str] = set()

    async def find(self, path: str) -> dict[str, Any] | None:
        return self.lease if "/leases/" in path else self.node

    async def get(self, path: str, query: object = None) -> dict[str, Any]:
        if path == "/api/v1/pods":
            return {"items": list(self.pods)}
        assert self.node is not None
        return self.node

    async def patch(self, path: str, change: dict[str, Any]) -> dict[str, Any]:
        assert self.node is not None
        _merge(self.node, change)
        return self.node

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        name = body["metadata"]["name"]
        if name in self.held:
            self.held.discard(name)
            raise ApiError(429, "a disruption budget")
        self.evicted.append(name)
        self.pods = [pod for pod in self.pods if pod["metadata"]["name"] != name]
        return {}

    async def delete(self, path: str) -> None:
        self.node = None


def _merge(target: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


@pytest.fixture
def cluster() -> ClusterSettings:
    put = cluster_put()
    body = bodies.cluster(put, Names("azure.test"), {})
    return read_cluster(Resource(put.id, body, 0, 0), issuer="https://issuer/", tenant=TENANT_ID)


@pytest.fixture
def node(tmp_path: Path) -> layout.NodeLayout:
    return layout.allocate(Config(state=tmp_path), "/a").node("system")


@pytest.fixture
def pool() -> PoolSettings:
    sent = {"vmSize": "Standard_D2s_v5", "mode": "System", "nodeLabels": {"team": "x"},
            "nodeTaints": ["a=b:NoSchedule"]}  # fmt: skip
    return read_pool("system", bodies.pool(sent, KUBERNETES))


@pytest.fixture
def kubernetes() -> Kubernetes:
    return Kubernetes({"metadata": {"labels": {"own": "kept"}}, "spec": {"taints": [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}})  # fmt: skip


async def test_labels_and_taints_follow_the_pool(
    kubernetes: Kubernetes, node: layout.NodeLayout, cluster: ClusterSettings, pool: PoolSettings
) -> None:
    api = cast("Api", kubernetes)
    await kubenode.dress(api, node, cluster, pool, PODS)
    assert kubernetes.node is not None
    labels, spec = kubernetes.node["metadata"]["labels"], kubernetes.node["spec"]
    assert (labels["own"], labels["team"], labels["kubernetes.azure.com/mode"]) == ("kept", "x", "system")
    assert labels["topology.kubernetes.io/zone"] == "0"
    assert {taint["key"] for taint in spec["taints"]} == {"a", "node.kubernetes.io/unreachable"}
    assert spec["podCIDR"] == str(PODS)
    await kubenode.dress(
        api, node, cluster, replace(pool, labels={"new": "y"}, taints=(), zones=("2",)), PODS
    )
    assert "team" not in labels
    assert (labels["new"], labels["own"]) == ("y", "kept")
    assert labels["topology.kubernetes.io/zone"] == "westeurope-2"
    assert {taint["key"] for taint in spec["taints"]} == {"node.kubernetes.io/unreachable"}


def _pod(name: str, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default", **meta}}


async def test_draining_evicts_what_can_go_and_forgets_the_node(
    kubernetes: Kubernetes, node: layout.NodeLayout
) -> None:
    kubernetes.pods = [
        _pod("web"),
        _pod("held"),
        _pod("daemon", ownerReferences=[{"kind": "DaemonSet"}]),
        _pod("static", annotations={"kubernetes.io/config.mirror": "x"}),
    ]
    kubernetes.held = {"held"}
    await kubenode.drain(cast("Api", kubernetes), node)
    assert kubernetes.evicted == ["web", "held"]
    assert kubernetes.node is None


async def test_a_node_is_ready_only_by_a_lease_of_this_life(
    kubernetes: Kubernetes, node: layout.NodeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubenode, "_READY", 0.0)
    assert kubernetes.node is not None
    api, now = cast("Api", kubernetes), time.time()
    with pytest.raises(ArmError, match="not registered"):
        await kubenode.wait_ready(api, node, since=None)
    kubernetes.node["status"] = {
        "conditions": [{"type": "Ready", "status": "False", "message": "no network"}]
    }
    with pytest.raises(ArmError, match="no network"):
        await kubenode.wait_ready(api, node, since=None)
    kubernetes.node["status"]["conditions"][0]["status"] = "True"
    await kubenode.wait_ready(api, node, since=None)
    with pytest.raises(ArmError, match="has not reported"):
        await kubenode.wait_ready(api, node, since=now)
    kubernetes.lease = {"spec": {"renewTime": datetime.fromtimestamp(now - 5, UTC).isoformat()}}
    with pytest.raises(ArmError, match="has not reported"):
        await kubenode.wait_ready(api, node, since=now)
    kubernetes.lease["spec"]["renewTime"] = datetime.fromtimestamp(now + 1, UTC).isoformat()
    await kubenode.wait_ready(api, node, since=now)
