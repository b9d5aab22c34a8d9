"""What all of our pods have in common: the application's image, run as nobody in particular.

They keep to the restricted profile, and beyond it cannot write to their root file system and have no
credential of the cluster. https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    PodSecurityContextArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
    VolumeArgs,
    VolumeMountArgs,
)

from infra.workload.quota import Size

# The image's unprivileged user.
USER = 10001
PART_OF = {"app.kubernetes.io/part-of": "agents"}
# Makes AKS's webhook hand the pod a token of its service account, for its identity.
# https://learn.microsoft.com/azure/aks/workload-identity-overview
WORKLOAD_IDENTITY = {"azure.workload.identity/use": "true"}

#: The one place that a container can write to; it goes with the pod.
SCRATCH = VolumeArgs(name="tmp", empty_dir=EmptyDirVolumeSourceArgs(size_limit="64Mi"))
SCRATCH_MOUNT = VolumeMountArgs(name="tmp", mount_path="/tmp")  # noqa: S108 - a path inside the container


def pod_security_context() -> PodSecurityContextArgs:
    return PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=USER,
        run_as_group=USER,
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def security_context() -> SecurityContextArgs:
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
    )


def resources(size: Size) -> ResourceRequirementsArgs:
    """No limit on CPU: it would slow a pod down beside idle cores."""
    return ResourceRequirementsArgs(
        requests={"cpu": f"{size.cpu}m", "memory": f"{size.memory}Mi"},
        limits={"memory": f"{size.memory_limit}Mi"},
    )


def variables(values: Mapping[str, pulumi.Input[str]]) -> list[EnvVarArgs]:
    return [EnvVarArgs(name=name, value=value) for name, value in values.items()]
