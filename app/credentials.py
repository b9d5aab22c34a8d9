"""Who the application is to Azure: the pod's workload identity, or the developer's own session."""

from __future__ import annotations

import os

from azure import identity
from azure.core.credentials import TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity import aio


def credential() -> AsyncTokenCredential:
    """Workload identity where AKS's webhook has provided it; otherwise the usual developer chain."""
    if "AZURE_FEDERATED_TOKEN_FILE" in os.environ:
        # Custom clouds have no entry in Microsoft's instance-discovery list.
        return aio.WorkloadIdentityCredential(disable_instance_discovery=_custom_authority())
    return aio.DefaultAzureCredential(disable_instance_discovery=_custom_authority())


def blocking_credential() -> TokenCredential:
    """The same, for the database drivers."""
    if "AZURE_FEDERATED_TOKEN_FILE" in os.environ:
        return identity.WorkloadIdentityCredential(disable_instance_discovery=_custom_authority())
    return identity.DefaultAzureCredential(disable_instance_discovery=_custom_authority())


def _custom_authority() -> bool:
    authority = os.environ.get("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
    return not authority.rstrip("/").endswith(
        ("microsoftonline.com", "microsoftonline.us", "chinacloudapi.cn")
    )
