"""What AKS puts into every cluster, kept as the manifests here say: CoreDNS, metrics-server, and by the
cluster's profiles the workload-identity webhook, the app-routing ingress class and Entra administrators.

Resources and roles follow upstream's manifests; the images are upstream's names for what the toolchain built.
"""

from __future__ import annotations

import asyncio
import json
import time
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import yaml

from sandbox.aks import endpoint, workloadidentity
from sandbox.aks.controlplane import ControlPlane, kubernetes
from sandbox.aks.files import write
from sandbox.aks.shell import CommandError, run
from sandbox.toolchain.versions import versions

#: Marks what belongs to the add-ons, so that what is no longer wanted is pruned.
_LABEL, _OWNER = "kubernetes.azure.com/managedby", "aks"
#: Kinds that are pruned; kubectl leaves others.
_KINDS = (
    "core/v1/ConfigMap",
    "core/v1/Namespace",
    "core/v1/Service",
    "core/v1/ServiceAccount",
    "apps/v1/Deployment",
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration",
    "apiregistration.k8s.io/v1/APIService",
    "networking.k8s.io/v1/IngressClass",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1/RoleBinding",
)
#: Seconds in which the API server, which has just started, must take all.
_PATIENCE = 60.0
INGRESS_NAMESPACE, INGRESS_SERVICE = "app-routing-system", "nginx"


def write_manifests(plane: ControlPlane) -> Path:
    """Render what the cluster's settings ask for, and nothing else; the folder."""
    folder = plane.layout.folder / "addons"
    names = [
        "coredns.yaml",
        "metrics-server.yaml",
        *(["app-routing.yaml"] if plane.settings.app_routing else []),
    ]
    rendered = {name: _render(plane, name) for name in names}
    if plane.settings.workload_identity:
        url = endpoint.workload_identity_url(plane.services, plane.layout)
        authority = plane.services.config.ca_certificate.read_text()
        rendered["workload-identity.yaml"] = _owned(workloadidentity.configuration(url, authority))
    if plane.settings.admin_groups:
        rendered["administrators.yaml"] = _owned(_administrators(plane.settings.admin_groups))
    for name, text in rendered.items():
        write(folder / name, text)
    for path in folder.iterdir():
        if path.name not in rendered:
            path.unlink()
    return folder


async def apply(plane: ControlPlane, folder: Path) -> None:
    """Make the cluster hold what the folder says, and no other add-on. Raises CommandError."""
    command = [
        kubernetes(plane.services.config, "kubectl"),
        f"--kubeconfig={plane.admin_kubeconfig}",
        f"--server=https://{plane.layout.address}:443",
        f"--cache-dir={plane.layout.folder / 'kubectl'}",
        "apply",
        # These are ours: fetching and parsing the schema of everything would cost a second of a core.
        "--validate=false",
        f"--filename={folder}",
        "--prune",
        f"--selector={_LABEL}={_OWNER}",
        *(f"--prune-allowlist={kind}" for kind in _KINDS),
    ]
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            await asyncio.to_thread(run, *command, timeout=_PATIENCE)
        except CommandError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)
        else:
            return


def _render(plane: ControlPlane, name: str) -> str:
    pinned = versions()
    text = resources.files("sandbox.aks").joinpath("manifests", name).read_text()
    return Template(text).substitute(
        label=f"{_LABEL}: {_OWNER}",
        dns=plane.settings.dns,
        coredns_image=pinned.images.coredns.format(version=pinned.go["coredns"].version),
        metrics_server_image=pinned.images.metrics_server.format(version=pinned.go["metrics-server"].version),
        cluster_authority=json.dumps(plane.authority.certificate_pem()),
    )


def _administrators(groups: tuple[str, ...]) -> dict[str, Any]:
    """`aadProfile.adminGroupObjectIDs`."""
    api = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "aks-cluster-admin-binding-aad"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": api, "kind": "Group", "name": group} for group in groups],
    }


def _owned(manifest: dict[str, Any]) -> str:
    manifest["metadata"].setdefault("labels", {})[_LABEL] = _OWNER
    return yaml.safe_dump(manifest, sort_keys=False)
