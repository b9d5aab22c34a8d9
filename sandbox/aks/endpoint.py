"""Where clusters reach the sandbox's Azure: one host name, and a secret per cluster that says which it is."""

from __future__ import annotations

import secrets

from sandbox.aks.files import write
from sandbox.aks.layout import ClusterLayout
from sandbox.services import Services


def host(services: Services) -> str:
    return f"clusters.azmk8s.{services.names.suffix}"


def authorization_url(services: Services, cluster: ClusterLayout) -> str:
    """The webhook authorizer's."""
    return f"https://{host(services)}/{cluster.key}/authorize"


def workload_identity_url(services: Services, cluster: ClusterLayout) -> str:
    """The mutating admission webhook's."""
    return f"https://{host(services)}/{cluster.key}/workload-identity"


def secret(cluster: ClusterLayout) -> str:
    """What the cluster's programs show as their bearer token; made when first asked for."""
    path = cluster.folder / "azure.secret"
    if not path.is_file():
        write(path, secrets.token_urlsafe(32), mode=0o600)
    return path.read_text()
