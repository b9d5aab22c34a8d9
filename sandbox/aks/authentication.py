"""Who may call a cluster's API and what they may do, as configuration files that the API server watches.

With `aadProfile` the API server accepts access tokens of the sandbox's Entra ID for AKS's server
application; the user is the token's object id. With `enableAzureRBAC` what Kubernetes' own roles do not
allow is asked of Azure's role assignments, at a webhook answered by the sandbox's Azure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.aks.endpoint import authorization_url, secret
from sandbox.aks.files import write_yaml
from sandbox.aks.layout import ClusterLayout
from sandbox.aks.settings import ENTRA_SERVER_APP, ClusterSettings
from sandbox.services import Services

AUTHENTICATION = "authentication.yaml"
AUTHORIZATION = "authorization.yaml"


def write_authentication(services: Services, settings: ClusterSettings, folder: Path) -> None:
    config: dict[str, Any] = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": _issuers(services, settings) if settings.entra else [],
        # Health and discovery, as on AKS.
        "anonymous": {"enabled": True},
    }
    write_yaml(folder / AUTHENTICATION, config)


def write_authorization(services: Services, layout: ClusterLayout, settings: ClusterSettings) -> None:
    authorizers: list[dict[str, Any]] = [{"type": "Node", "name": "node"}, {"type": "RBAC", "name": "rbac"}]
    if settings.azure_rbac:
        kubeconfig = layout.folder / "azure-rbac.kubeconfig"
        write_yaml(kubeconfig, _webhook_kubeconfig(services, layout), mode=0o600)
        authorizers.append(
            {
                "type": "Webhook",
                "name": "azure-rbac",
                "webhook": {
                    "timeout": "5s",
                    "subjectAccessReviewVersion": "v1",
                    "matchConditionSubjectAccessReviewVersion": "v1",
                    "failurePolicy": "NoOpinion",
                    "authorizedTTL": "10s",
                    "unauthorizedTTL": "5s",
                    "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": str(kubeconfig)},
                    # Kubernetes' own users never have a role assignment.
                    "matchConditions": [{"expression": "!request.user.startsWith('system:')"}],
                },
            }
        )
    config = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthorizationConfiguration",
        "authorizers": authorizers,
    }
    write_yaml(layout.folder / AUTHORIZATION, config)


def _issuers(services: Services, settings: ClusterSettings) -> list[dict[str, Any]]:
    """Entra ID's two token versions, which name their issuer differently."""
    login = f"https://{services.names.login}/{settings.tenant}"
    older = f"https://sts.{services.names.suffix}/{settings.tenant}/"
    discovery = {
        f"{login}/v2.0": f"{login}/v2.0/.well-known/openid-configuration",
        older: f"{login}/.well-known/openid-configuration",
    }
    trust = services.config.ca_certificate.read_text()
    return [
        {
            "issuer": {
                "url": issuer,
                "discoveryURL": url,
                "certificateAuthority": trust,
                "audiences": [ENTRA_SERVER_APP, f"api://{ENTRA_SERVER_APP}", f"spn:{ENTRA_SERVER_APP}"],
                "audienceMatchPolicy": "MatchAny",
            },
            "claimMappings": {
                "username": {"claim": "oid", "prefix": ""},
                "groups": {"claim": "groups", "prefix": ""},
                "uid": {"claim": "oid"},
            },
        }
        for issuer, url in discovery.items()
    ]


def _webhook_kubeconfig(services: Services, layout: ClusterLayout) -> dict[str, Any]:
    cluster = {
        "server": authorization_url(services, layout),
        "certificate-authority": str(services.config.ca_certificate),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "azure", "cluster": cluster}],
        "users": [{"name": "cluster", "user": {"token": secret(layout)}}],
        "contexts": [{"name": "azure", "context": {"cluster": "azure", "user": "cluster"}}],
        "current-context": "azure",
    }
