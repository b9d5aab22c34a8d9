"""Kubeconfigs that AKS hands out: certificates of local accounts, or Entra ID through kubelogin."""

from __future__ import annotations

import base64
from typing import Any

import yaml

from sandbox.aks.controlplane import ADMIN_GROUP, ControlPlane
from sandbox.aks.pki import certificate_credentials
from sandbox.aks.settings import ENTRA_SERVER_APP
from sandbox.arm.errors import bad_request

#: The Entra application id of AKS's kubectl client, the same in every tenant.
_CLIENT_APP = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"


def admin(plane: ControlPlane) -> dict[str, Any]:
    """`listClusterAdminCredential`. Raises ArmError when local accounts are disabled."""
    return _answer("clusterAdmin", _document(plane, "Admin"))


def user(plane: ControlPlane) -> dict[str, Any]:
    """`listClusterUserCredential`."""
    return _answer("clusterUser", _entra(plane) if plane.settings.entra else _document(plane, "User"))


def access_profile(plane: ControlPlane, role: str) -> dict[str, Any]:
    """`accessProfiles/clusterAdmin` and `clusterUser`."""
    document = _entra(plane) if plane.settings.entra and role == "clusterUser" else _document(plane, role[7:])
    return {
        "id": f"{plane.settings.id}/accessProfiles/{role}",
        "name": role,
        "type": "Microsoft.ContainerService/ManagedClusters/AccessProfiles",
        "location": plane.settings.location,
        "properties": {"kubeConfig": _encoded(document)},
    }


def _document(plane: ControlPlane, account: str) -> dict[str, Any]:
    """A local account's: on AKS, both `Admin` and `User` are administrators."""
    if not plane.settings.local_accounts:
        raise bad_request(
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
        )
    issued = plane.authority.issue(plane.keys / f"cluster-{account.lower()}", "masterclient", ADMIN_GROUP)
    return plane.kubeconfig(certificate_credentials(*issued), _name(plane, account))


def _entra(plane: ControlPlane) -> dict[str, Any]:
    """As AKS writes it. How to sign in is the user's choice: `kubelogin convert-kubeconfig`, or the variable
    AAD_LOGIN_METHOD, which `sandbox env` sets."""
    arguments = ["get-token", "--environment", "AzurePublicCloud", "--server-id", ENTRA_SERVER_APP]
    arguments += ["--client-id", _CLIENT_APP, "--tenant-id", plane.settings.tenant, "--login", "devicecode"]
    credentials = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "kubelogin",
            "args": arguments,
            "env": None,
            "installHint": "kubelogin is not installed which is required to connect to AAD enabled cluster. "
            "To learn more, please go to https://aka.ms/aks/kubelogin",
            "provideClusterInfo": False,
        }
    }
    return plane.kubeconfig(credentials, _name(plane, "User"))


def _name(plane: ControlPlane, account: str) -> str:
    return f"cluster{account}_{plane.settings.group}_{plane.settings.name}"


def _answer(name: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"kubeconfigs": [{"name": name, "value": _encoded(document)}]}


def _encoded(document: dict[str, Any]) -> str:
    return base64.b64encode(yaml.safe_dump(document, sort_keys=False).encode()).decode()
