"""How a kubelet gets in at the registry: AKS's credential provider, with the kubelet identity's token.

The kubelet runs `acr_credentials.py` for every image of an Azure registry; that asks the node's metadata
service for a token and exchanges it at the registry. An identity without AcrPull is refused there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.aks import acr_credentials
from sandbox.aks.files import write, write_yaml
from sandbox.services import Services

PLUGIN = "acr-credential-provider"


def write_credential_provider(services: Services, folder: Path) -> None:
    """The plugin and its configuration, in `folder`."""
    python = Path(sys.executable).resolve()
    script = Path(acr_credentials.__file__).read_text()
    # Isolated and without site-packages: it starts in a few milliseconds and needs the standard library only.
    write(folder / "credential-provider" / PLUGIN, f"#!{python} -IS\n{script}", mode=0o755)
    provider = {
        "name": PLUGIN,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": [f"*.{services.names.service('azurecr')}"],
        "defaultCacheDuration": "10m",
        "env": [{"name": "SSL_CERT_FILE", "value": str(services.config.ca_bundle)}],
    }
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "providers": [provider],
    }
    write_yaml(folder / "credential-provider.yaml", config)
