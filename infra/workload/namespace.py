"""The agents' namespace: restricted pods, closed to all traffic, bounded."""

from __future__ import annotations

from collections.abc import Mapping
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
        resource = k8s.core.v1.Namespace(
            name, metadata=ObjectMetaArgs(name=args.name, labels=pod_security()), opts=child
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[resource])
        priorities.declare(child)
        deny_all(args.name, inside)
        allow_dns(args.name, inside)
        solver = Pods("acme-solver", args.name, _ACME_SOLVER)
        allow_in(solver, INGRESS_CONTROLLER, _ACME_PORT, inside)
        k8s.core.v1.ResourceQuota(
            name,
            metadata=ObjectMetaArgs(name="agents", namespace=args.name),
            spec=ResourceQuotaSpecArgs(hard=Quota.for_agents(args.agents.values()).hard()),
            opts=inside,
        )
        k8s.core.v1.LimitRange(
            name,
            metadata=ObjectMetaArgs(name="agents", namespace=args.name),
            spec=LimitRangeSpecArgs(limits=[_limits(args.agents)]),
            opts=inside,
        )
        self.name = args.name
        self.register_outputs({"name": self.name})


def _limits(agents: Mapping[str, AgentSettings]) -> LimitRangeItemArgs:
    """What a container gets that says nothing, and the largest that any may be."""
    sizes = [*map(Size.of, agents.values()), *(size for size, _ in BESIDE)]
    largest = max(size.memory_limit for size in sizes)
    return LimitRangeItemArgs(
        type="Container",
        default_request={"cpu": f"{_DEFAULT_CPU}m", "memory": f"{_DEFAULT_MEMORY}Mi"},
        default={"memory": f"{_DEFAULT_LIMIT}Mi"},
        max={"memory": f"{largest}Mi"},
    )
