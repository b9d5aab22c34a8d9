"""Where Kubernetes keeps a pod's specification, whatever makes the pods."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.policy.model import UNKNOWN, Resource, listed

#: Type -> path of the pod's specification.
POD_SPECS = {
    "kubernetes:core:Pod": "spec",
    "kubernetes:apps:DaemonSet": "spec.template.spec",
    "kubernetes:apps:Deployment": "spec.template.spec",
    "kubernetes:apps:ReplicaSet": "spec.template.spec",
    "kubernetes:apps:StatefulSet": "spec.template.spec",
    "kubernetes:batch:CronJob": "spec.jobTemplate.spec.template.spec",
    "kubernetes:batch:Job": "spec.template.spec",
}
WORKLOADS = tuple(POD_SPECS)


def pod(resource: Resource) -> Mapping[str, Any]:
    """The pod's specification; empty while it is not known."""
    found = resource.get(POD_SPECS[resource.type])
    return found if isinstance(found, Mapping) else {}


def containers(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and specification of every container, init containers included."""
    spec = pod(resource)
    for kind in ("initContainers", "containers"):
        for container in listed(spec.get(kind)):
            yield str(container.get("name")), container


def at(value: Any, path: str) -> Any:
    """What lies at a dotted path; UNKNOWN where it is not known, None where it is missing."""
    for part in path.split("."):
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def namespace(resource: Resource) -> Any:
    return resource.get("metadata.namespace", "default")


def pod_labels(resource: Resource) -> Any:
    """A mapping, or UNKNOWN."""
    return resource.get("spec.template.metadata.labels", {})
