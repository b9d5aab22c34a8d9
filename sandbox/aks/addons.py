"""What AKS puts on every cluster: CoreDNS, metrics-server, and by the cluster's profiles the
workload-identity webhook and the app-routing ingress class. Plain manifests, applied with kubectl.

The images are upstream's names for what the toolchain built; resources and roles follow upstream's manifests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sandbox.aks import endpoint, workloadidentity
from sandbox.aks.controlplane import ControlPlane
from sandbox.aks.files import write
from sandbox.aks.settings import INGRESS_CLASS

#: Marks what belongs to the add-ons, so that what is no longer wanted is pruned.
LABEL = "kubernetes.azure.com/managedby"
SELECTOR = f"{LABEL}=aks"
INGRESS_NAMESPACE, INGRESS_SERVICE = "app-routing-system", "nginx"
_TOLERATIONS = [{"key": "CriticalAddonsOnly", "operator": "Exists"}]


def write_manifests(plane: ControlPlane, images: dict[str, str]) -> Path:
    """Write the folder of manifests. `images` maps `coredns` and `metrics-server` to image names."""
    documents = [*_dns(plane, images["coredns"]), *_metrics(plane, images["metrics-server"])]
    if plane.settings.workload_identity:
        url = endpoint.workload_identity_url(plane.services, plane.layout)
        authority = plane.services.config.ca_certificate.read_text()
        documents.append(workloadidentity.configuration(url, authority))
    if plane.settings.app_routing:
        documents += _app_routing()
    for document in documents:
        document["metadata"].setdefault("labels", {})[LABEL] = "aks"
    folder = plane.layout.folder / "addons"
    write(folder / "addons.yaml", yaml.safe_dump_all(documents, sort_keys=False))
    return folder


def _object(api: str, kind: str, name: str, namespace: str | None = None, **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def _bound(name: str, role: str, *, namespace: str = "kube-system") -> dict[str, Any]:
    return _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        name,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": name.rpartition(":")[2], "namespace": namespace}],
    )


def _role(name: str, *rules: tuple[str, list[str], list[str]]) -> dict[str, Any]:
    listed = [{"apiGroups": [group], "resources": kinds, "verbs": verbs} for group, kinds, verbs in rules]
    return _object("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=listed)


def _deployment(name: str, pod: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return _object(
        "apps/v1",
        "Deployment",
        name,
        "kube-system",
        spec={
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": name,
                    "priorityClassName": "system-cluster-critical",
                    "tolerations": _TOLERATIONS,
                    **pod,
                },
            },
        },
    )


def _dns(plane: ControlPlane, image: str) -> list[dict[str, Any]]:
    labels, gateway = {"k8s-app": "kube-dns"}, plane.services.config.gateway
    corefile = f""".:53 {{
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }}
    forward . {gateway}
    cache 5
    reload
    loadbalance
}}
"""
    pod = {
        "dnsPolicy": "Default",
        "containers": [
            {
                "name": "coredns",
                "image": image,
                "args": ["-conf", "/etc/coredns/Corefile"],
                "ports": [
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                ],
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
                "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 30},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
                    "readOnlyRootFilesystem": True,
                },
                "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
            }
        ],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    return [
        _object("v1", "ServiceAccount", "coredns", "kube-system"),
        _role(
            "system:coredns",
            ("", ["endpoints", "services", "pods", "namespaces"], ["list", "watch"]),
            ("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
        ),
        _bound("system:coredns", "system:coredns"),
        _object("v1", "ConfigMap", "coredns", "kube-system", data={"Corefile": corefile}),
        _deployment("coredns", pod, labels),
        _object(
            "v1",
            "Service",
            "kube-dns",
            "kube-system",
            spec={"selector": labels, "clusterIP": str(plane.settings.dns), "ports": ports},
        ),
    ]


def _metrics(plane: ControlPlane, image: str) -> list[dict[str, Any]]:
    labels = {"k8s-app": "metrics-server"}
    pod = {
        "containers": [
            {
                "name": "metrics-server",
                "image": image,
                "args": [
                    "--cert-dir=/tmp",
                    "--secure-port=10250",
                    "--kubelet-preferred-address-types=InternalIP",
                    "--kubelet-use-node-status-port",
                    "--kubelet-certificate-authority=/etc/kubelet/ca.crt",
                    "--metric-resolution=15s",
                ],
                "ports": [{"name": "https", "containerPort": 10250}],
                "resources": {"requests": {"cpu": "50m", "memory": "48Mi"}, "limits": {"memory": "256Mi"}},
                "readinessProbe": {
                    "httpGet": {"path": "/readyz", "port": "https", "scheme": "HTTPS"},
                    "periodSeconds": 5,
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                },
                "volumeMounts": [
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 (a path inside the container)
                    {"name": "kubelet", "mountPath": "/etc/kubelet", "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "kubelet", "configMap": {"name": "kubelet-serving-ca"}},
        ],
    }
    reader = {"kind": "Role", "name": "extension-apiserver-authentication-reader"}
    return [
        _object("v1", "ServiceAccount", "metrics-server", "kube-system"),
        _object(
            "v1",
            "ConfigMap",
            "kubelet-serving-ca",
            "kube-system",
            data={"ca.crt": plane.authority.certificate_pem()},
        ),
        _role(
            "system:metrics-server",
            ("", ["nodes/metrics"], ["get"]),
            ("", ["pods", "nodes"], ["get", "list", "watch"]),
        ),
        _bound("system:metrics-server", "system:metrics-server"),
        _object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            "metrics-server:system:auth-delegator",
            roleRef={
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:auth-delegator",
            },
            subjects=[{"kind": "ServiceAccount", "name": "metrics-server", "namespace": "kube-system"}],
        ),
        _object(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "metrics-server-auth-reader",
            "kube-system",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", **reader},
            subjects=[{"kind": "ServiceAccount", "name": "metrics-server", "namespace": "kube-system"}],
        ),
        _deployment("metrics-server", pod, labels),
        _object(
            "v1",
            "Service",
            "metrics-server",
            "kube-system",
            spec={"selector": labels, "ports": [{"name": "https", "port": 443, "targetPort": "https"}]},
        ),
        _object(
            "apiregistration.k8s.io/v1",
            "APIService",
            "v1beta1.metrics.k8s.io",
            spec={
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                # It signs its own certificate, as upstream's manifest has it.
                "insecureSkipTLSVerify": True,
                "service": {"name": "metrics-server", "namespace": "kube-system"},
            },
        ),
    ]


def _app_routing() -> list[dict[str, Any]]:
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    return [
        _object("v1", "Namespace", INGRESS_NAMESPACE),
        _object(
            "networking.k8s.io/v1",
            "IngressClass",
            INGRESS_CLASS,
            spec={"controller": f"{INGRESS_CLASS}/nginx"},
        ),
        # Without a selector: the controller says where its nginx listens.
        _object(
            "v1", "Service", INGRESS_SERVICE, INGRESS_NAMESPACE, spec={"type": "LoadBalancer", "ports": ports}
        ),
    ]
