"""Labels, taints and provider id of a node, as AKS sets them."""

from __future__ import annotations

from sandbox.aks.layout import NodeLayout
from sandbox.aks.settings import ClusterSettings, PoolSettings


def labels(cluster: ClusterSettings, pool: PoolSettings) -> dict[str, str]:
    """All of them."""
    return {**own_labels(cluster, pool), **pool.labels}


def own_labels(cluster: ClusterSettings, pool: PoolSettings) -> dict[str, str]:
    """AKS's, which the kubelet registers with; a pool's own may be ones that no kubelet may set."""
    zone = f"{cluster.location}-{pool.zones[0]}" if pool.zones else "0"
    return {
        "agentpool": pool.name,
        "kubernetes.azure.com/agentpool": pool.name,
        "kubernetes.azure.com/cluster": cluster.node_group[:63],
        "kubernetes.azure.com/mode": pool.mode.lower(),
        "kubernetes.azure.com/node-image-version": pool.image,
        "kubernetes.azure.com/nodepool-type": "VirtualMachineScaleSets",
        "kubernetes.azure.com/os-sku": pool.os_sku,
        "kubernetes.azure.com/role": "agent",
        "kubernetes.azure.com/storageprofile": "managed",
        "node.kubernetes.io/instance-type": pool.vm_size,
        "topology.kubernetes.io/region": cluster.location,
        "topology.kubernetes.io/zone": zone,
    }


def taints(pool: PoolSettings) -> list[dict[str, str]]:
    """`key=value:Effect` -> Kubernetes' form."""
    parsed = []
    for text in pool.taints:
        rule, _, effect = text.rpartition(":")
        key, _, value = rule.partition("=")
        parsed.append(
            {"key": key, "value": value, "effect": effect} if value else {"key": key, "effect": effect}
        )
    return parsed


def provider_id(cluster: ClusterSettings, node: NodeLayout) -> str:
    subscription = cluster.id.split("/")[2]
    scale_set = node.name.removesuffix("000000")
    return (
        f"azure:///subscriptions/{subscription}/resourceGroups/{cluster.node_group.lower()}/providers/"
        f"Microsoft.Compute/virtualMachineScaleSets/{scale_set}/virtualMachines/0"
    )
