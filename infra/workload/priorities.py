"""Who goes first when nodes are scarce."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

CRITICAL, BATCH = "agents-critical", "agents-batch"
#: By what the settings call them.
CLASSES = {"critical": CRITICAL, "batch": BATCH}


def declare(opts: pulumi.ResourceOptions) -> list[k8s.scheduling.v1.PriorityClass]:
    """Both below the cluster's own (two billion) and above zero, what everything else has.

    A batch agent waits for room; a critical one makes it, at a batch agent's expense.
    """
    return [
        k8s.scheduling.v1.PriorityClass(
            name,
            metadata=ObjectMetaArgs(name=name),
            value=value,
            global_default=False,
            preemption_policy=preemption,
            description=description,
            opts=opts,
        )
        for name, value, preemption, description in (
            (CRITICAL, 1_000_000, "PreemptLowerPriority", "Agents that people wait for."),
            (BATCH, 1_000, "Never", "Agents whose work can wait."),
        )
    ]
