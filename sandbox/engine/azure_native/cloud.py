"""Which Azure the provider talks to: the endpoints of a metadata document, or of a well-known cloud."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.engine.azure_native.settings import Settings
from sandbox.engine.failures import PlugError

_API_VERSION = "2022-09-01"


@dataclass(frozen=True)
class Cloud:
    """URLs without a trailing slash; `audience` is what tokens for ARM are asked for."""

    resource_manager: str
    login: str
    audience: str
    #: Domain below which vaults have their names.
    vaults: str


_WELL_KNOWN = {
    "public": Cloud(
        "https://management.azure.com",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "vault.azure.net",
    ),
    "usgovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "vault.usgovcloudapi.net",
    ),
    "china": Cloud(
        "https://management.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "vault.azure.cn",
    ),
}


def trust() -> ssl.SSLContext:
    """The authorities that REQUESTS_CA_BUNDLE or SSL_CERT_FILE name, else the system's."""
    return ssl.create_default_context(
        cafile=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    )


def read(settings: Settings, client: httpx.Client) -> Cloud:
    """The cloud that the settings name. Raises PlugError when it is unknown or does not answer."""
    if not settings.metadata_host:
        known = _WELL_KNOWN.get(settings.environment.lower())
        if known is None:
            raise PlugError(
                f"azure-native:environment is '{settings.environment}'; known are {', '.join(_WELL_KNOWN)}. "
                "For any other cloud set azure-native:metadataHost (ARM_METADATA_HOSTNAME)."
            )
        return known
    url = f"https://{settings.metadata_host}/metadata/endpoints?api-version={_API_VERSION}"
    try:
        response = client.get(url)
        response.raise_for_status()
        return _parse(response.json())
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise PlugError(f"cannot read the cloud's endpoints from {url}: {error}. Is it up?") from error


def _parse(document: Any) -> Cloud:
    first: Mapping[str, Any] = document[0] if isinstance(document, list) else document
    authentication = first["authentication"]
    return Cloud(
        first["resourceManager"].rstrip("/"),
        authentication["loginEndpoint"].rstrip("/"),
        authentication["audiences"][0].rstrip("/"),
        first["suffixes"]["keyVaultDns"].lstrip("."),
    )
