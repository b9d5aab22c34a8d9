"""The provider's settings: the stack's or a Provider resource's configuration, else the ARM_* variables.

Source of names and variables: the official provider's configuration page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sandbox.engine.failures import PlugError

_VARIABLES = {
    "subscription_id": "ARM_SUBSCRIPTION_ID",
    "tenant_id": "ARM_TENANT_ID",
    "client_id": "ARM_CLIENT_ID",
    "client_secret": "ARM_CLIENT_SECRET",
    "client_certificate_path": "ARM_CLIENT_CERTIFICATE_PATH",
    "client_certificate_password": "ARM_CLIENT_CERTIFICATE_PASSWORD",
    "environment": "ARM_ENVIRONMENT",
    "location": "ARM_LOCATION",
    "metadata_host": "ARM_METADATA_HOSTNAME",
    "msi_endpoint": "ARM_MSI_ENDPOINT",
    "oidc_token": "ARM_OIDC_TOKEN",
    "oidc_token_file_path": "ARM_OIDC_TOKEN_FILE_PATH",
    "disable_instance_discovery": "ARM_DISABLE_INSTANCE_DISCOVERY",
    "use_msi": "ARM_USE_MSI",
    "use_oidc": "ARM_USE_OIDC",
}


@dataclass(frozen=True)
class Settings:
    """What a provider instance is configured with. Empty strings are unset."""

    subscription_id: str = ""
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_certificate_path: str = ""
    client_certificate_password: str = ""
    environment: str = "public"
    location: str = ""
    metadata_host: str = ""
    msi_endpoint: str = ""
    oidc_token: str = ""
    oidc_token_file_path: str = ""
    disable_instance_discovery: bool = False
    use_msi: bool = False
    use_oidc: bool = False

    def __repr__(self) -> str:
        """Without the secrets: settings may end up in a log."""
        return f"Settings(subscription_id={self.subscription_id!r}, client_id={self.client_id!r})"


def parse(config: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a configuration (camelCase keys). Raises PlugError that names a bad value."""
    values: dict[str, Any] = {}
    for item in fields(Settings):
        key = _camel(item.name)
        value = config.get(key)
        if value in (None, ""):
            value = environ.get(_VARIABLES[item.name])
        if value in (None, ""):
            continue
        values[item.name] = _boolean(key, value) if item.type == "bool" else str(value)
    return Settings(**values)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _boolean(key: str, value: Any) -> bool:
    """The engine hands settings over as JSON in strings."""
    if isinstance(value, str):
        try:
            value = json.loads(value.lower())
        except ValueError:
            value = None
    if value in (0, 1):
        return bool(value)
    raise PlugError(f"azure-native:{key} must be true or false")
