"""Whether AKS still, or already, offers the stack's Kubernetes version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra.preflight.report import Finding, missing, ok
from infra.preflight.subject import Subject

# A minor version past its year is supported for another one in the Premium tier.
# https://learn.microsoft.com/azure/aks/long-term-support
_STANDARD, _LONG = "KubernetesOfficial", "AKSLongTermSupport"


def version(subject: Subject) -> Iterator[Finding]:
    """https://learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions"""
    settings = subject.stack.settings
    wanted, region = settings.cluster.kubernetes_version, settings.location
    path = f"{subject.located('Microsoft.ContainerService', region)}/kubernetesVersions"
    offered = subject.arm.read(path, "2024-09-01")["values"]
    plan = _LONG if settings.cluster.tier == "Premium" else _STANDARD
    usable = [one for one in offered if not one.get("isPreview") and {plan, _STANDARD} & _plans(one)]
    names = {one["version"] for one in usable} | {
        patch for one in usable for patch in one.get("patchVersions") or ()
    }
    if wanted in names:
        yield ok("kubernetes", f"{wanted} is offered in {region}")
        return
    minors = sorted((one["version"] for one in usable), key=_numbers)
    yield missing(
        "kubernetes",
        f"{wanted} is not offered in {region} (tier {settings.cluster.tier}); there are {', '.join(minors)}",
        subject.stack.set("cluster.kubernetes_version", minors[-1]) if minors else "choose another region",
    )


def _plans(one: Mapping[str, Any]) -> set[str]:
    return set((one.get("capabilities") or {}).get("supportPlan") or (_STANDARD,))


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))
