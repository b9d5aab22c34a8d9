"""Which properties cannot change in place, so that a change replaces the object.

Taken from pulumi-kubernetes' provider/pkg/provider/diff.go. A rule is a path; `[]` stands for every list
item, and a rule covers all that lies below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.engine.kubernetes.objects import Kind
from sandbox.engine.kubernetes.settings import Settings

Path = tuple[str | int, ...]
Rule = tuple[str, ...]


def _rules(*paths: str) -> tuple[Rule, ...]:
    return tuple(tuple(path.replace("[]", ".[]").split(".")) for path in paths)


IDENTITY: Final = _rules("metadata.name", "metadata.namespace")

_CONTAINER = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
]
_POD = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
]
_VOLUME_SOURCE = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
]

_BY_KIND: Final[Mapping[tuple[str, str], tuple[Rule, ...]]] = {
    ("apps", "Deployment"): _rules("spec.selector"),
    ("apps", "DaemonSet"): _rules("spec.selector"),
    ("apps", "StatefulSet"): _rules(
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): _rules("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "RoleBinding"): _rules("roleRef"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _rules("roleRef"),
    ("storage.k8s.io", "StorageClass"): _rules("parameters", "provisioner"),
    ("", "PersistentVolume"): _rules(*(f"spec.{source}" for source in _VOLUME_SOURCE)),
    ("", "PersistentVolumeClaim"): _rules(
        "spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"
    ),
    ("", "Pod"): _rules(
        *(f"spec.{field}" for field in _POD),
        *(f"spec.{kind}[].{field}" for kind in ("containers", "initContainers") for field in _CONTAINER),
    ),
    ("", "ResourceQuota"): _rules("spec.scopes"),
    ("", "Secret"): _rules("type"),
    ("", "Service"): _rules("spec.clusterIP"),
}
_SECRET_DATA: Final = _rules("type", "stringData", "data")
_CONFIGMAP_DATA: Final = _rules("binaryData", "data")


def replacing(kind: Kind, value: Mapping[str, Any], settings: Settings) -> tuple[Rule, ...]:
    """The rules for an object, given its new inputs."""
    found = _BY_KIND.get((kind.group, kind.kind), ())
    immutable = value.get("immutable") is True
    if (kind.group, kind.kind) == ("", "Secret") and (immutable or not settings.secret_mutable):
        found = _SECRET_DATA
    if (kind.group, kind.kind) == ("", "ConfigMap") and (immutable or not settings.configmap_mutable):
        found = _CONFIGMAP_DATA
    return (*IDENTITY, *found)


def covers(rules: Iterable[Rule], path: Path) -> bool:
    """Whether a change at `path` lies at or below one of the rules (or holds all of it)."""
    plain = tuple("[]" if isinstance(step, int) else step for step in path)
    return any(plain[: len(rule)] == rule or rule[: len(plain)] == plain for rule in rules)
