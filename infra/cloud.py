"""Which Azure this is: endpoints and suffixes, read from the cloud itself and never configured.

As the official provider does: with `ARM_METADATA_HOSTNAME` set, the metadata endpoint of that Resource
Manager is asked (Azure Stack, air-gapped clouds, the sandbox); otherwise `ARM_ENVIRONMENT` names a cloud.
"""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import dataclass
from typing import Any, Literal
from urllib.error import URLError
from urllib.parse import urlparse

import pulumi

_API_VERSION = "2022-09-01"


@dataclass(frozen=True)
class Cloud:
    """Suffixes carry no leading dot. `domain`: where a custom cloud publishes names; None on public ones.

    `private_vault_suffix` is what a vault's name ends in behind a private endpoint: only there the public
    clouds say `vaultcore`.
    """

    name: str
    resource_manager: str
    registry_suffix: str
    vault_suffix: str
    private_vault_suffix: str
    storage_suffix: str
    sql_suffix: str
    documents_suffix: str
    openai_suffix: str
    events_suffix: str
    sql_dialect: Literal["mssql", "postgresql"] = "mssql"
    domain: str | None = None


# https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
# https://learn.microsoft.com/azure/china/resources-developer-guide
# https://learn.microsoft.com/azure/private-link/private-endpoint-dns
WELL_KNOWN = {
    "public": Cloud(
        name="AzureCloud",
        resource_manager="https://management.azure.com",
        registry_suffix="azurecr.io",
        vault_suffix="vault.azure.net",
        private_vault_suffix="vaultcore.azure.net",
        storage_suffix="core.windows.net",
        sql_suffix="database.windows.net",
        documents_suffix="documents.azure.com",
        openai_suffix="openai.azure.com",
        events_suffix="eventgrid.azure.net",
    ),
    "usgovernment": Cloud(
        name="AzureUSGovernment",
        resource_manager="https://management.usgovcloudapi.net",
        registry_suffix="azurecr.us",
        vault_suffix="vault.usgovcloudapi.net",
        private_vault_suffix="vaultcore.usgovcloudapi.net",
        storage_suffix="core.usgovcloudapi.net",
        sql_suffix="database.usgovcloudapi.net",
        documents_suffix="documents.azure.us",
        openai_suffix="openai.azure.us",
        events_suffix="eventgrid.azure.us",
    ),
    "china": Cloud(
        name="AzureChinaCloud",
        resource_manager="https://management.chinacloudapi.cn",
        registry_suffix="azurecr.cn",
        vault_suffix="vault.azure.cn",
        private_vault_suffix="vaultcore.azure.cn",
        storage_suffix="core.chinacloudapi.cn",
        sql_suffix="database.chinacloudapi.cn",
        documents_suffix="documents.azure.cn",
        openai_suffix="openai.azure.cn",
        events_suffix="eventgrid.azure.cn",
    ),
}


def read_cloud() -> Cloud:
    """The cloud this program is deployed to. Raises RunError when it is unknown or does not answer."""
    host = os.environ.get("ARM_METADATA_HOSTNAME")
    if host:
        return parse_metadata(_fetch(host))
    name = os.environ.get("ARM_ENVIRONMENT", "public").lower()
    if name not in WELL_KNOWN:
        raise pulumi.RunError(
            f"ARM_ENVIRONMENT is {name!r}; known clouds are {', '.join(WELL_KNOWN)}. "
            "For any other, set ARM_METADATA_HOSTNAME to its Resource Manager's host."
        )
    return WELL_KNOWN[name]


def _fetch(host: str) -> dict[str, Any]:
    url = f"https://{host}/metadata/endpoints?api-version={_API_VERSION}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            document = json.load(answer)
    except (URLError, TimeoutError, ValueError) as error:
        raise pulumi.RunError(
            f"ARM_METADATA_HOSTNAME names {host}, but {url} does not answer: {error}"
        ) from None
    # The endpoint answers one cloud, or a list of clouds of which the first is its own.
    first: dict[str, Any] = document[0] if isinstance(document, list) else document
    return first


def parse_metadata(document: dict[str, Any]) -> Cloud:
    """The cloud that a metadata document (API version 2022-09-01) describes.

    It does not list every service: the others' names lie where Resource Manager's lies. Raises RunError when
    that is nowhere.
    """
    suffixes = {key: value.lstrip(".") for key, value in document["suffixes"].items()}
    resource_manager = document["resourceManager"].rstrip("/")
    domain = (urlparse(resource_manager).hostname or "").partition(".")[2]
    if not domain:
        raise pulumi.RunError(f"{document['name']} has its Resource Manager at {resource_manager}: no domain")
    return Cloud(
        name=document["name"],
        resource_manager=resource_manager,
        registry_suffix=suffixes["acrLoginServer"],
        vault_suffix=suffixes["keyVaultDns"],
        private_vault_suffix=suffixes["keyVaultDns"],
        storage_suffix=suffixes["storage"],
        sql_suffix=suffixes["sqlServerHostname"],
        documents_suffix=f"documents.{domain}",
        openai_suffix=f"openai.{domain}",
        events_suffix=f"eventgrid.{domain}",
        sql_dialect=document.get("sqlDialect", "mssql"),
        domain=domain,
    )
