"""`Microsoft.ContainerService/managedClusters`: a PUT starts a real Kubernetes."""

from __future__ import annotations

import base64
import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sandbox.aks import bodies, versions
from sandbox.aks.controlplane import ADMIN_GROUP
from sandbox.aks.pki import certificate_credentials
from sandbox.aks.pools import CLUSTER_TYPE, POOL_TYPE, runtime
from sandbox.aks.settings import ENTRA_SERVER_APP
from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.handler import Action, Call, Handler, Put
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Body, Resource
from sandbox.config import TENANT_ID
from sandbox.services import Services

#: The Entra application id of AKS's kubectl client, the same in every tenant.
_CLIENT_APP = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


class ManagedClusterHandler(Handler):
    type = CLUSTER_TYPE
    long_running = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.runtime = runtime(services)

    async def check(self, put: Put) -> None:
        profiles = put.body.get("properties", {}).get("agentPoolProfiles") or []
        if put.previous is None and not any(profile.get("mode") == "System" for profile in profiles):
            raise bad_request(
                "AgentPoolProfilesInvalid",
                "Must define at least one system pool in agentPoolProfiles.",
                "properties.agentPoolProfiles",
            )
        self._check_kubelet_identity(put)

    async def fill(self, put: Put) -> Body:
        body = bodies.cluster(put, self.services.names)
        if "kubeletidentity" not in (body["properties"].get("identityProfile") or {}):
            raise bad_request(
                "KubeletIdentityRequired",
                "The sandbox's clusters need identityProfile.kubeletidentity; AKS would make one in the node "
                "resource group.",
                "properties.identityProfile",
            )
        return body

    async def provision(self, resource: Resource) -> None:
        self._node_group(resource)
        await self.runtime.start(resource)
        for profile in resource.properties["agentPoolProfiles"]:
            properties = {key: value for key, value in profile.items() if key != "name"}
            pool = self._pool(resource, profile["name"], properties)
            await self.runtime.add_node(resource, pool.id.name, pool.properties)
            self.services.store.save(pool)

    async def resume(self, resource: Resource) -> None:
        """The control plane; the pools resume by themselves."""
        await self.runtime.start(resource)

    async def view(self, resource: Resource) -> Body:
        """With every pool, as AKS lists them, however they were made."""
        wire = copy.deepcopy(resource.wire())
        pools = self.services.store.list(type=POOL_TYPE, under=f"{resource.id}/agentPools/")
        profiles = [{"name": pool.id.name, **pool.properties} for pool in pools]
        if profiles:
            wire["properties"]["agentPoolProfiles"] = sorted(profiles, key=lambda one: str(one["name"]))
        wire["properties"]["sandboxRunningNodes"] = self.runtime.running_nodes(resource)
        return wire

    async def delete(self, resource: Resource) -> None:
        await self.runtime.remove(resource)
        group = parse_id(self._node_group_id(resource))
        if self.services.store.get(group) is not None:
            self.services.store.remove(group)

    def actions(self) -> Mapping[str, Action]:
        return {
            "listClusterAdminCredential": self._admin_credentials,
            "listClusterUserCredential": self._user_credentials,
            "listClusterMonitoringUserCredential": self._user_credentials,
        }

    def operations(self) -> Sequence[Operation]:
        path = (
            "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}"
            "/kubernetesVersions"
        )
        return [
            Operation("GET", path, "Microsoft.ContainerService/locations/kubernetesVersions/read", _versions)
        ]

    async def _admin_credentials(self, call: Call) -> Body:
        if call.resource.properties.get("disableLocalAccounts"):
            raise bad_request(
                "BadRequest", "Getting static credential is not allowed because this cluster is set to disable "
                "local accounts."
            )  # fmt: skip
        plane = self.runtime.plane(call.resource)
        issued = plane.authority.issue(plane.keys / "cluster-admin", "masterclient", ADMIN_GROUP)
        name = f"clusterAdmin_{call.resource.id.group}_{call.resource.id.name}"
        return _kubeconfigs("clusterAdmin", plane.kubeconfig(certificate_credentials(*issued), name))

    async def _user_credentials(self, call: Call) -> Body:
        plane = self.runtime.plane(call.resource)
        if not plane.settings.entra:
            return await self._admin_credentials(call)
        environment = "AzurePublicCloud"
        arguments = ["get-token", "--environment", environment, "--server-id", ENTRA_SERVER_APP]
        arguments += ["--client-id", _CLIENT_APP, "--tenant-id", TENANT_ID, "--login", "devicecode"]
        credentials = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "command": "kubelogin",
                "args": arguments,
                "env": None,
                "provideClusterInfo": False,
            }
        }
        name = f"clusterUser_{call.resource.id.group}_{call.resource.id.name}"
        return _kubeconfigs("clusterUser", plane.kubeconfig(credentials, name))

    def _check_kubelet_identity(self, put: Put) -> None:
        """AKS attaches the kubelet's identity to the nodes as the cluster's own identity, which must be
        allowed to. https://learn.microsoft.com/azure/aks/use-managed-identity"""
        properties = put.body.get("properties", {})
        kubelet = ((properties.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
        for identity in (put.body.get("identity") or {}).get("userAssignedIdentities") or {}:
            found = self.services.store.get(identity)
            principal = found.properties["principalId"] if found else ""
            if kubelet and not self.services.rbac.allows(principal, _ASSIGN, kubelet):
                raise bad_request(
                    "CustomKubeletIdentityMissingPermissionError",
                    f"The cluster user assigned identity {identity} must be given permission to assign kubelet "
                    f"identity {kubelet}. Check access result not allowed for action {_ASSIGN}.",
                    "properties.identityProfile.kubeletidentity",
                )

    def _pool(self, cluster: Resource, name: str, properties: Body) -> Resource:
        """The stored agent pool of an inline profile; a pool that exists keeps what it has."""
        known = self.services.store.get(f"{cluster.id}/agentPools/{name}")
        if known is not None:
            return known
        now = time.time()
        return Resource(
            parse_id(f"{cluster.id}/agentPools/{name}"), {"properties": copy.deepcopy(properties)}, now, now
        )

    def _node_group_id(self, cluster: Resource) -> str:
        return f"/subscriptions/{cluster.id.subscription}/resourceGroups/{cluster.properties['nodeResourceGroup']}"

    def _node_group(self, cluster: Resource) -> None:
        """AKS keeps its nodes in a resource group that it manages itself."""
        group = parse_id(self._node_group_id(cluster))
        if self.services.store.get(group) is None:
            now = time.time()
            body = {
                "location": cluster.location,
                "managedBy": str(cluster.id),
                "properties": {"provisioningState": "Succeeded"},
            }
            self.services.store.save(Resource(group, body, now, now))


def _kubeconfigs(name: str, document: dict[str, Any]) -> Body:
    encoded = base64.b64encode(yaml.safe_dump(document, sort_keys=False).encode()).decode()
    return {"kubeconfigs": [{"name": name, "value": encoded}]}


async def _versions(call: OperationCall) -> Answer:
    if not call.parameters["location"]:
        raise ArmError(400, "InvalidLocation", "A location is required.")
    return Answer(body=versions.listing())
