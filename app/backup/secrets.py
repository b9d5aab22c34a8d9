"""Copies of a vault's secrets: every version that can be read, each once, encrypted.

What is changed of a version afterwards (its expiry, its tags) is not copied again, and what is deleted in the
vault stays among the copies. Disabled versions cannot be read, and secrets that belong to certificates come
back with those: both are passed over.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties
from azure.keyvault.secrets.aio import SecretClient

from app.backup.container import Copies
from app.backup.format import CorruptError, Name, Secret, WrappingKey, seal, unseal

log = logging.getLogger(__name__)
_FORBIDDEN = 403


class SecretCopies:
    """Raises AzureError for a service that cannot be used, CorruptError for a copy that is no good."""

    name = "secrets"

    def __init__(self, vault: str, source: SecretClient, copies: Copies, key: WrappingKey) -> None:
        self._vault, self._source, self._copies, self._key = vault, source, copies, key

    async def copy(self) -> int:
        """Copy what has no copy, the oldest version first; how many there were."""
        there, made = await self._copies.sizes(f"{self._vault}/"), 0
        async for properties in self._secrets():
            for version in await self._versions(properties.name or ""):
                if str(self._named(version)) not in there and (found := await self._read(version)):
                    await self._write(found)
                    made += 1
        return made

    async def validate(self) -> None:
        """Read the copy of every secret's current version back, and compare it with the secret."""
        async for properties in self._secrets():
            current = await self._read(properties, current=True)
            if current is None:
                continue
            name = self._named(current.properties)
            try:
                content = await self._copies.read(str(name))
            except ResourceNotFoundError as error:
                raise CorruptError(f"{name}: there is no copy of it") from error
            copied = await unseal(content, name, self._key)
            if not hmac.compare_digest(copied.value.encode(), (current.value or "").encode()):
                raise CorruptError(f"{name}: the copy has another value than the secret")

    async def _secrets(self) -> AsyncIterator[SecretProperties]:
        async for properties in self._source.list_properties_of_secrets():
            if not properties.managed:
                yield properties

    async def _versions(self, secret: str) -> list[SecretProperties]:
        listed = self._source.list_properties_of_secret_versions(secret)
        found = [version async for version in listed if version.enabled]
        return sorted(found, key=lambda version: _seconds(version.created_on) or 0)

    async def _read(self, properties: SecretProperties, *, current: bool = False) -> KeyVaultSecret | None:
        """None for what was deleted or disabled since it was listed."""
        version: Any = None if current else properties.version
        try:
            return await self._source.get_secret(properties.name or "", version)
        except ResourceNotFoundError:
            log.info("secret %s was deleted while it was looked at", properties.name)
            return None
        except HttpResponseError as error:
            if error.status_code == _FORBIDDEN and "disabled" in str(error.message):
                log.info("secret %s is disabled and cannot be copied", properties.name)
                return None
            raise

    async def _write(self, found: KeyVaultSecret) -> None:
        properties = found.properties
        secret = Secret(
            name=self._named(properties),
            value=found.value or "",
            created=_seconds(properties.created_on) or 0,
            enabled=bool(properties.enabled),
            content_type=properties.content_type,
            not_before=_seconds(properties.not_before),
            expires=_seconds(properties.expires_on),
            tags=properties.tags or {},
        )
        content = await seal(secret, self._key)
        await self._copies.create(str(secret.name), content, {"created": str(secret.created)})
        log.info("copied %s", secret.name)

    def _named(self, properties: SecretProperties) -> Name:
        return Name(self._vault, properties.name or "", properties.version or "")


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
