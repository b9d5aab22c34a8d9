"""The resource group that AKS keeps its nodes in, and the kubelet's identity that lives there unless the user
brings one."""

from __future__ import annotations

import time
from typing import Any

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Put
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource, ResourceId
from sandbox.config import TENANT_ID
from sandbox.services import Services

_IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
_ASSIGN = f"{_IDENTITY_TYPE}/assign/action"
_KUBELET = "kubeletidentity"


def check_kubelet_identity(services: Services, put: Put) -> None:
    """AKS attaches the kubelet's identity to the nodes as the cluster's own identity, which must be allowed
    to. https://learn.microsoft.com/azure/aks/use-managed-identity"""
    kubelet = _sent(put.body).get("resourceId")
    if not kubelet:
        return
    path = "properties.identityProfile.kubeletidentity"
    if services.store.get(kubelet) is None:
        raise bad_request("InvalidParameter", f"The kubelet identity '{kubelet}' was not found.", path)
    own = (put.body.get("identity") or {}).get("userAssignedIdentities") or {}
    if not own and not _is_ours(put, kubelet):
        raise bad_request(
            "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster",
            "A kubelet identity of your own needs a cluster with a user-assigned identity.",
            path,
        )
    for identity in own:
        found = services.store.get(identity)
        principal = found.properties["principalId"] if found else ""
        if not services.rbac.allows(principal, _ASSIGN, kubelet):
            raise bad_request(
                "CustomKubeletIdentityMissingPermissionError",
                f"The cluster user assigned identity {identity} must be given permission to assign kubelet "
                f"identity {kubelet}. Check access result not allowed for action {_ASSIGN}.",
                path,
            )


def fill_kubelet_identity(services: Services, put: Put, body: Body) -> None:
    """Client and object id of the identity that was sent, or the one there was."""
    sent = _sent(body)
    before = _sent(put.previous.body) if put.previous else {}
    if not sent.get("resourceId"):
        if before:
            body["properties"].setdefault("identityProfile", {})[_KUBELET] = before
        return
    found = services.store.get(sent["resourceId"])
    if found is not None:
        sent |= {"clientId": found.properties["clientId"], "objectId": found.properties["principalId"]}
        body["properties"]["identityProfile"][_KUBELET] = sent


def ensure(services: Services, cluster: Resource) -> None:
    """Make the group, and the kubelet's identity unless the cluster has one."""
    now = time.time()
    group = _group(cluster)
    if services.store.get(group) is None:
        body = {
            "location": cluster.location,
            "managedBy": str(cluster.id),
            "tags": {"aks-managed-cluster-name": cluster.id.name, "aks-managed-cluster-rg": cluster.id.group},
            "properties": {"provisioningState": "Succeeded"},
        }
        services.store.save(Resource(group, body, now, now))
    if _sent(cluster.body):
        return
    name = f"{cluster.id.name}-agentpool"
    id = parse_id(f"{group}/providers/{_IDENTITY_TYPE}/{name}")  # noqa: A001
    object_id, client_id = services.principals.create(name, "ManagedIdentity", resource_id=str(id))
    properties = {"tenantId": TENANT_ID, "principalId": object_id, "clientId": client_id}
    services.store.save(Resource(id, {"location": cluster.location, "properties": properties}, now, now))
    profile = {"resourceId": str(id), "clientId": client_id, "objectId": object_id}
    cluster.properties["identityProfile"] = {_KUBELET: profile}


def remove(services: Services, cluster: Resource) -> None:
    group = _group(cluster)
    for member in services.store.list(under=str(group)):
        if member.id.type.lower() == _IDENTITY_TYPE.lower():
            services.principals.remove(member.properties["principalId"])
        services.store.remove(member.id)
    if services.store.get(group) is not None:
        services.store.remove(group)


def _group(cluster: Resource) -> ResourceId:
    name = cluster.properties["nodeResourceGroup"]
    return parse_id(f"/subscriptions/{cluster.id.subscription}/resourceGroups/{name}")


def _sent(body: Body) -> dict[str, Any]:
    profile = (body.get("properties") or {}).get("identityProfile") or {}
    return dict(profile.get(_KUBELET) or {})


def _is_ours(put: Put, kubelet: str) -> bool:
    """A read-modify-write sends back the identity that AKS made."""
    return (
        put.previous is not None and _sent(put.previous.body).get("resourceId", "").lower() == kubelet.lower()
    )
