"""Pods keep to Kubernetes' restricted profile, and say what they need.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Mapping
from typing import Any

from infra.policy.model import Resource, listed, may_be, may_hold
from infra.policy.rule import Faults, resource_rule
from infra.policy.rules.podspec import WORKLOADS, at, containers, pod

_STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_PROFILES = ("RuntimeDefault", "Localhost")


def _setting(resource: Resource, container: Mapping[str, Any], name: str) -> Any:
    """A security setting of a container; what it does not say, its pod may."""
    own = at(container, f"securityContext.{name}")
    return at(pod(resource), f"securityContext.{name}") if own is None else own


@resource_rule(
    *WORKLOADS,
    remedy="Set security_context.run_as_non_root=True and a user other than 0",
    source=_STANDARD,
)
def pods_do_not_run_as_root(workload: Resource) -> Faults:
    """No container runs as root."""
    for name, container in containers(workload):
        if not may_be(_setting(workload, container, "runAsNonRoot"), True):
            yield f"container {name} may run as root"
        if _setting(workload, container, "runAsUser") == 0:
            yield f"container {name} runs as user 0"


@resource_rule(
    *WORKLOADS,
    remedy="Set security_context.read_only_root_filesystem=True; mount an emptyDir where it must write",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
)
def containers_cannot_change_their_image(workload: Resource) -> Faults:
    """Containers have a read-only root file system."""
    for name, container in containers(workload):
        if not may_be(at(container, "securityContext.readOnlyRootFilesystem"), True):
            yield f"container {name} can write to its root file system"


@resource_rule(
    *WORKLOADS,
    remedy='Set security_context.capabilities to drop=["ALL"] and add none',
    source=_STANDARD,
)
def containers_have_no_capabilities(workload: Resource) -> Faults:
    """Containers give up all capabilities of the kernel."""
    for name, container in containers(workload):
        if not may_hold(at(container, "securityContext.capabilities.drop"), "ALL"):
            yield f"container {name} keeps capabilities"
        added = set(listed(at(container, "securityContext.capabilities.add"))) - {"NET_BIND_SERVICE"}
        if added:
            yield f"container {name} adds {', '.join(sorted(added))}"


@resource_rule(
    *WORKLOADS,
    remedy="Set security_context.allow_privilege_escalation=False, and leave privileged off",
    source=_STANDARD,
)
def containers_cannot_gain_privileges(workload: Resource) -> Faults:
    """No process in a container can get more rights than it started with."""
    for name, container in containers(workload):
        if not may_be(at(container, "securityContext.allowPrivilegeEscalation"), False):
            yield f"container {name} can gain privileges"
        if at(container, "securityContext.privileged") is True:
            yield f"container {name} is privileged"


@resource_rule(
    *WORKLOADS,
    remedy="Set security_context.seccomp_profile to RuntimeDefault",
    source=_STANDARD,
)
def pods_filter_their_system_calls(workload: Resource) -> Faults:
    """A seccomp profile bounds what containers may ask of the kernel."""
    for name, container in containers(workload):
        profile = _setting(workload, container, "seccompProfile")
        if not may_be(at(profile, "type"), *_PROFILES):
            yield f"container {name} has no seccomp profile"


@resource_rule(
    *WORKLOADS,
    remedy="Leave hostNetwork, hostPID and hostIPC off; use volumes that are not of the host",
    source=_STANDARD,
)
def pods_share_nothing_of_their_node(workload: Resource) -> Faults:
    """Pods do not see their node's network, processes or files."""
    spec = pod(workload)
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name) is True:
            yield f"{name} is on"
    for volume in listed(spec.get("volumes")):
        if volume.get("hostPath"):
            yield f"volume {volume.get('name')} is a folder of the node"
    for name, container in containers(workload):
        if any(port.get("hostPort") for port in listed(container.get("ports"))):
            yield f"container {name} takes a port of the node"


@resource_rule(
    *WORKLOADS,
    remedy="Set resources.requests for cpu and memory, and resources.limits for memory",
    source="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
)
def containers_say_what_they_need(workload: Resource) -> Faults:
    """Containers request CPU and memory, and cannot take more memory than they are given.

    A limit on CPU is not asked for: it slows down a container even on an idle node.
    """
    for name, container in containers(workload):
        for path in ("requests.cpu", "requests.memory", "limits.memory"):
            if at(container, f"resources.{path}") is None:
                yield f"container {name} has no resources.{path}"


@resource_rule(
    "kubernetes:apps:Deployment",
    remedy="Add readiness_probe and liveness_probe",
    source="https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
)
def deployments_are_probed(deployment: Resource) -> Faults:
    """Kubernetes can tell whether a container is ready and whether it lives."""
    for container in listed(pod(deployment).get("containers")):
        for probe in ("readinessProbe", "livenessProbe"):
            if not container.get(probe):
                yield f"container {container.get('name')} has no {probe}"
