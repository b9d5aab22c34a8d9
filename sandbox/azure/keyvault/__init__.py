"""Azure Key Vault: vaults, their secrets and keys in both planes, and what soft delete keeps."""

from __future__ import annotations

from sandbox.azure.keyvault.arm_keys import KeyHandler
from sandbox.azure.keyvault.arm_secrets import SecretHandler
from sandbox.azure.keyvault.key_store import key_store
from sandbox.azure.keyvault.plane import SecretsPlane
from sandbox.azure.keyvault.secret_store import secret_store
from sandbox.azure.keyvault.vaults import VaultHandler
from sandbox.services import Services

HANDLERS = (VaultHandler, SecretHandler, KeyHandler)


def mount(services: Services) -> None:
    state = services.config.state
    plane = SecretsPlane(services, secret_store(state), key_store(state))
    services.router.mount(f"*.{services.names.service('vault')}", plane.app())
