"""How many pods an agent has: as many as its load asks for, between two bounds, never none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.autoscaling.v2 import (
    CrossVersionObjectReferenceArgs,
    HorizontalPodAutoscalerSpecArgs,
    MetricSpecArgs,
    MetricTargetArgs,
    ResourceMetricSourceArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudgetSpecArgs

from infra.observability.thresholds import CPU, MEMORY
from infra.settings.sections import AgentSettings
from infra.workload.quota import mebibytes


@dataclass(frozen=True)
class Scaled:
    """`name` is the deployment's; `selector` finds its pods."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    settings: AgentSettings


def autoscaler(scaled: Scaled, opts: pulumi.ResourceOptions) -> k8s.autoscaling.v2.HorizontalPodAutoscaler:
    """Keeps CPU and memory at the upper end of healthy, as the health table draws the line.

    CPU is measured against its request, memory against its limit, where the kernel ends a container; the
    autoscaler knows only shares of requests, so memory's target is an amount.
    """
    limit = mebibytes(scaled.settings.memory_limit)
    healthy = f"{int(MEMORY.healthy * limit * 1024)}Ki"
    return k8s.autoscaling.v2.HorizontalPodAutoscaler(
        scaled.name,
        metadata=ObjectMetaArgs(name=scaled.name, namespace=scaled.namespace),
        spec=HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=CrossVersionObjectReferenceArgs(
                api_version="apps/v1", kind="Deployment", name=scaled.name
            ),
            min_replicas=scaled.settings.replicas,
            max_replicas=scaled.settings.max_replicas,
            metrics=[
                _metric(
                    "cpu", MetricTargetArgs(type="Utilization", average_utilization=round(CPU.healthy * 100))
                ),
                _metric("memory", MetricTargetArgs(type="AverageValue", average_value=healthy)),
            ],
        ),
        opts=opts,
    )


def _metric(name: str, target: MetricTargetArgs) -> MetricSpecArgs:
    return MetricSpecArgs(type="Resource", resource=ResourceMetricSourceArgs(name=name, target=target))


def disruption_budget(scaled: Scaled, opts: pulumi.ResourceOptions) -> k8s.policy.v1.PodDisruptionBudget:
    """Nodes are drained one pod of an agent at a time, and one that is not ready holds nobody up.

    A minimum would forbid to drain the node of an agent that has one pod.
    """
    return k8s.policy.v1.PodDisruptionBudget(
        scaled.name,
        metadata=ObjectMetaArgs(name=scaled.name, namespace=scaled.namespace),
        spec=PodDisruptionBudgetSpecArgs(
            selector=LabelSelectorArgs(match_labels=dict(scaled.selector)),
            max_unavailable=1,
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=opts,
    )
