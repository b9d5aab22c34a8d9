"""Azure Key Vault: vaults, their secrets in both planes, and what soft delete keeps."""

from __future__ import annotations

from sandbox.azure.keyvault.arm_secrets import SecretHandler
from sandbox.azure.keyvault.plane import SecretsPlane
from sandbox.azure.keyvault.secret_store import secret_store
from sandbox.azure.keyvault.vaults import VaultHandler
from sandbox.services import Services

HANDLERS = (VaultHandler, SecretHandler)


def mount(services: Services) -> None:
    plane = SecretsPlane(services, secret_store(services.config.state))
    services.router.mount(f"*.{services.names.service('vault')}", plane.app())
