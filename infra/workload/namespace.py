"""The agents' namespace: restricted pods, closed to all traffic, bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.core.v1 import LimitRangeItemArgs, LimitRangeSpecArgs, ResourceQuotaSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.settings.sections import AgentSettings
from infra.workload import priorities
from infra.workload.policies import INGRESS_CONTROLLER, Pods, allow_dns, allow_in, deny_all
from infra.workload.quota import BESIDE, Quota, Size

# Pinned, so that an upgrade of the cluster does not refuse pods that it took the day before.
_POD_SECURITY_VERSION = "v1.34"
# The pod that answers an ACME challenge, and its port.
# https://cert-manager.io/docs/configuration/acme/http01/
_ACME_SOLVER = {"acme.cert-manager.io/http01-solver": "true"}
_ACME_PORT = 8089
# For a container that says nothing, such as one that `kubectl run` starts.
_DEFAULT_CPU, _DEFAULT_MEMORY, _DEFAULT_LIMIT = 50, 64, 128


def pod_security() -> dict[str, str]:
    """Labels under which the cluster refuses what breaks the restricted profile.

    https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    labels = {}
    for mode in ("enforce", "audit", "warn"):
        labels[f"pod-security.kubernetes.io/{mode}"] = "restricted"
        labels[f"pod-security.kubernetes.io/{mode}-version"] = _POD_SECURITY_VERSION
    return labels


@dataclass(frozen=True)
class NamespaceArgs:
    name: str
    agents: Mapping[str, AgentSettings]


class Namespace(pulumi.ComponentResource):
    """Depend on it as a whole: before a pod starts, the policies and limits that bound it are there."""

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Namespace", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        sizes = [*map(Size.of, args.agents.values()), *(size for size, _ in BESIDE)]
        quota = Quota.for_agents(args.agents.values())
        inside = closed(name, Bounds(args.name, quota, sizes), self)
        priorities.declare(child)
        solver = Pods("acme-solver", args.name, _ACME_SOLVER)
        allow_in(solver, INGRESS_CONTROLLER, _ACME_PORT, inside)
        self.name = args.name
        self.register_outputs({"name": self.name})


@dataclass(frozen=True)
class Bounds:
    """A namespace, how much it may take, and the sizes of the pods in it."""

    namespace: str
    quota: Quota
    sizes: Sequence[Size]


def closed(name: str, bounds: Bounds, parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """A namespace of restricted pods that lets no traffic through but questions for names.

    The result are the options of what else is put into it.
    """
    resource = k8s.core.v1.Namespace(
        name,
        metadata=ObjectMetaArgs(name=bounds.namespace, labels=pod_security()),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    inside = pulumi.ResourceOptions(parent=parent, depends_on=[resource])
    deny_all(bounds.namespace, inside)
    allow_dns(bounds.namespace, inside)
    metadata = ObjectMetaArgs(name="agents", namespace=bounds.namespace)
    k8s.core.v1.ResourceQuota(
        name, metadata=metadata, spec=ResourceQuotaSpecArgs(hard=bounds.quota.hard()), opts=inside
    )
    k8s.core.v1.LimitRange(
        name, metadata=metadata, spec=LimitRangeSpecArgs(limits=[_limits(bounds.sizes)]), opts=inside
    )
    return inside


def _limits(sizes: Sequence[Size]) -> LimitRangeItemArgs:
    """What a container gets that says nothing, and the largest that any may be."""
    largest = max(size.memory_limit for size in sizes)
    return LimitRangeItemArgs(
        type="Container",
        default_request={"cpu": f"{_DEFAULT_CPU}m", "memory": f"{_DEFAULT_MEMORY}Mi"},
        default={"memory": f"{_DEFAULT_LIMIT}Mi"},
        max={"memory": f"{largest}Mi"},
    )
