"""A node as Kubernetes sees it: waiting for it, its labels and taints as its pool says, draining it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from sandbox.aks import nodelabels
from sandbox.aks.api import Api, ApiError
from sandbox.aks.files import write
from sandbox.aks.layout import NodeLayout
from sandbox.aks.settings import ClusterSettings, PoolSettings
from sandbox.arm.errors import ArmError

#: Seconds for a node to be Ready on a busy machine, and for its pods to leave.
_READY, _LEAVE = 180.0, 120.0
_LOOK = 0.3
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


async def wait_ready(api: Api, node: NodeLayout, *, since: float | None) -> None:
    """Return when the node is Ready and its kubelet has renewed its lease after `since` (epoch seconds):
    Kubernetes goes on calling a node Ready for a while after its death. Raises ArmError."""
    deadline = time.monotonic() + _READY
    while problem := await _problem(api, node, since):
        if time.monotonic() > deadline:
            raise ArmError(
                500,
                "VMExtensionProvisioningError",
                f"Node {node.name} did not get ready within {_READY:.0f} s: {problem}. "
                f"`sandbox logs {node.program('kubelet')}` says more.",
            )
        await asyncio.sleep(_LOOK)


async def _problem(api: Api, node: NodeLayout, since: float | None) -> str | None:
    try:
        found = await api.find(f"/api/v1/nodes/{node.name}")
        lease = await api.find(f"{_LEASES}/{node.name}")
    except ApiError as error:
        return str(error)
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    ready = next((one for one in conditions if one["type"] == "Ready"), None)
    if ready is None:
        return "it has not registered"
    if ready["status"] != "True":
        return str(ready.get("message") or "it is not ready")
    if since is not None and (lease is None or _seconds(lease["spec"]["renewTime"]) < since):
        return "its kubelet has not reported"
    return None


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).astimezone(UTC).timestamp()


async def dress(
    api: Api, node: NodeLayout, cluster: ClusterSettings, pool: PoolSettings, pods: IPv4Network
) -> None:
    """Labels and taints as the pool has them now (a kubelet sets them only once), and the pod network."""
    path = f"/api/v1/nodes/{node.name}"
    record = node.folder / "pool.json"
    before: dict[str, Any] = (
        json.loads(record.read_text()) if record.is_file() else {"labels": {}, "taints": []}
    )
    now: dict[str, Any] = {"labels": nodelabels.labels(cluster, pool), "taints": nodelabels.taints(pool)}
    found = await api.get(path)
    kept = [taint for taint in found["spec"].get("taints") or [] if not _among(taint, before["taints"])]
    taints = [*now["taints"], *(taint for taint in kept if not _among(taint, now["taints"]))]
    change: dict[str, Any] = {
        "metadata": {"labels": {**dict.fromkeys(before["labels"]), **now["labels"]}},
        "spec": {"taints": taints or None},
    }
    if not found["spec"].get("podCIDR"):
        change["spec"] |= {"podCIDR": str(pods), "podCIDRs": [str(pods)]}
    await api.patch(path, change)
    write(record, json.dumps(now))


def _among(taint: Mapping[str, str], others: list[dict[str, str]]) -> bool:
    return any((taint["key"], taint["effect"]) == (other["key"], other["effect"]) for other in others)


async def drain(api: Api, node: NodeLayout) -> None:
    """Cordon the node, let its pods go by their own grace and disruption budgets, and forget it. Pods that
    a budget holds longer than the deadline go with the machine."""
    path = f"/api/v1/nodes/{node.name}"
    if await api.find(path) is None:
        return
    await api.patch(path, {"spec": {"unschedulable": True}})
    deadline = time.monotonic() + _LEAVE
    while (pods := await _evictable(api, node)) and time.monotonic() < deadline:
        for pod in pods:
            if not pod["metadata"].get("deletionTimestamp"):
                await _evict(api, pod)
        await asyncio.sleep(1)
    await api.delete(path)


async def _evictable(api: Api, node: NodeLayout) -> list[dict[str, Any]]:
    pods = (await api.get("/api/v1/pods", {"fieldSelector": f"spec.nodeName={node.name}"}))["items"]
    return [pod for pod in pods if not _stays(pod)]


def _stays(pod: Mapping[str, Any]) -> bool:
    """Pods of daemon sets are made again at once, static ones are the kubelet's own."""
    meta = pod["metadata"]
    daemon = any(owner["kind"] == "DaemonSet" for owner in meta.get("ownerReferences") or [])
    return daemon or "kubernetes.io/config.mirror" in (meta.get("annotations") or {})


async def _evict(api: Api, pod: Mapping[str, Any]) -> None:
    meta = pod["metadata"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
    }
    try:
        await api.post(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction", eviction)
    except ApiError as error:
        # 404: gone already. 429: a disruption budget; asked again.
        if error.status not in {404, 429}:
            raise
