"""The kubeconfig that this program uses: Entra ID through kubelogin and the Azure CLI's session."""

from __future__ import annotations

import base64
from typing import Any

import pulumi
import yaml
from pulumi_azure_native import containerservice

# Application id of the AKS Entra server, the same in every tenant.
# https://learn.microsoft.com/azure/aks/kubelogin-authentication
AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"


def kubeconfig(resource_group: pulumi.Input[str], cluster: pulumi.Input[str]) -> pulumi.Output[str]:
    """User kubeconfig of a cluster. It holds no credential: whoever uses it signs in as themselves."""
    answer = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=resource_group, resource_name=cluster
    )
    return answer.apply(lambda known: sign_in_with_azure_cli(known.kubeconfigs[0].value))


def sign_in_with_azure_cli(encoded: str) -> str:
    """AKS answers a kubeconfig (base64) that asks for a device code; let the Azure CLI's session sign in."""
    document: dict[str, Any] = yaml.safe_load(base64.b64decode(encoded))
    for entry in document["users"]:
        entry["user"] = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "command": "kubelogin",
                "args": ["get-token", "--login", "azurecli", "--server-id", AKS_SERVER_ID],
                "provideClusterInfo": False,
                "interactiveMode": "Never",
            }
        }
    return yaml.safe_dump(document, sort_keys=True)
