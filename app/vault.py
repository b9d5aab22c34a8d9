"""Key Vault: third parties' secrets, read with the workload's identity."""

from __future__ import annotations

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.keyvault.secrets.aio import SecretClient

from app.dependency import from_azure
from app.settings import VaultSettings

# Need not exist: that it does not is said only to those who may read secrets.
_PROBE = "health-probe"


class Vault:
    name = "keyvault"

    def __init__(self, settings: VaultSettings, credential: AsyncTokenCredential) -> None:
        self._client = SecretClient(str(settings.uri), credential)

    async def check(self) -> None:
        """Read as this identity. Raises DependencyError."""
        try:
            await self._client.get_secret(_PROBE, retry_total=0)
        except ResourceNotFoundError:
            return
        except AzureError as error:
            raise from_azure(error) from error

    async def close(self) -> None:
        await self._client.close()
