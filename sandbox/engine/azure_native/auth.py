"""Access tokens for ARM, by the official provider's order: certificate, secret, OIDC, MSI, az CLI."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import (
    AzureCliCredential,
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from sandbox.engine.azure_native.cloud import Cloud
from sandbox.engine.azure_native.settings import Settings
from sandbox.engine.failures import PlugError


class Tokens:
    """Tokens of one configured identity; azure-identity caches them until shortly before they expire."""

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self._settings = settings
        self._cloud = cloud
        self._lock = threading.Lock()
        self._credential = _credential(settings, cloud)

    def get(self, audience: str | None = None) -> str:
        """A token for ARM, or for another audience. Raises PlugError that says which identity was refused."""
        scope = f"{(audience or self._cloud.audience).rstrip('/')}/.default"
        try:
            with self._lock:
                return self._credential.get_token(scope).token
        except AzureError as error:
            raise PlugError(
                f"cannot authenticate {_describe(self._settings)} at {self._cloud.login}: {error}"
            ) from error

    def forget(self) -> None:
        """Drop cached tokens: ARM has refused one before its time."""
        with self._lock:
            self._credential = _credential(self._settings, self._cloud)


def _credential(settings: Settings, cloud: Cloud) -> TokenCredential:
    shared: dict[str, Any] = {
        "authority": cloud.login,
        "disable_instance_discovery": settings.disable_instance_discovery,
    }
    application = settings.tenant_id, settings.client_id
    if all(application) and settings.client_certificate_path:
        password = settings.client_certificate_password or None
        return CertificateCredential(
            *application, certificate_path=settings.client_certificate_path, password=password, **shared
        )
    if all(application) and settings.client_secret:
        return ClientSecretCredential(*application, settings.client_secret, **shared)
    if all(application) and settings.use_oidc:
        return ClientAssertionCredential(*application, lambda: _assertion(settings), **shared)
    if settings.use_msi:
        return ManagedIdentityCredential(client_id=settings.client_id or None)
    return AzureCliCredential(tenant_id=settings.tenant_id)


def _assertion(settings: Settings) -> str:
    if settings.oidc_token:
        return settings.oidc_token
    if settings.oidc_token_file_path:
        return Path(settings.oidc_token_file_path).read_text(encoding="utf-8").strip()
    raise PlugError("useOidc needs azure-native:oidcToken or azure-native:oidcTokenFilePath")


def _describe(settings: Settings) -> str:
    if settings.client_id:
        return f"client '{settings.client_id}' of tenant '{settings.tenant_id}'"
    return "the account of the az CLI (no client is configured)"
