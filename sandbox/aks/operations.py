"""What AKS answers below a cluster that is no stored resource: versions, upgrades, access profiles, start and
stop."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.aks import credentials, versions
from sandbox.aks.runtime import Runtime
from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.operation import Answer, Operation, OperationCall
from sandbox.arm.resource import Resource
from sandbox.services import Services

_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}"
_CLUSTER = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/"
    "managedClusters/{cluster}"
)
_ACTIONS = "Microsoft.ContainerService/managedClusters"
_POOLS = f"{_ACTIONS}/agentPools"
_ROLES = ("clusterAdmin", "clusterUser")


class ClusterOperations:
    def __init__(self, services: Services, runtime: Runtime) -> None:
        self._services = services
        self._runtime = runtime

    def all(self) -> Sequence[Operation]:
        read = "Microsoft.ContainerService/locations/kubernetesVersions/read"
        access = f"{_ACTIONS}/accessProfiles"
        return [
            Operation("GET", f"{_PROVIDER}/kubernetesVersions", read, self._versions),
            Operation(
                "GET",
                f"{_CLUSTER}/upgradeProfiles/default",
                f"{_ACTIONS}/upgradeProfiles/read",
                self._upgrades,
            ),
            Operation(
                "GET",
                f"{_CLUSTER}/agentPools/{{pool}}/upgradeProfiles/default",
                f"{_POOLS}/upgradeProfiles/read",
                self._pool_upgrades,
            ),
            Operation(
                "GET",
                f"{_CLUSTER}/availableAgentPoolVersions",
                f"{_ACTIONS}/availableAgentPoolVersions/read",
                self._pool_versions,
            ),
            Operation("GET", f"{_CLUSTER}/accessProfiles/{{role}}", f"{access}/read", self._access),
            Operation(
                "POST",
                f"{_CLUSTER}/accessProfiles/{{role}}/listCredential",
                f"{access}/listCredential/action",
                self._access,
            ),
            Operation(
                "POST", f"{_CLUSTER}/start", f"{_ACTIONS}/start/action", self._start, long_running=True
            ),
            Operation("POST", f"{_CLUSTER}/stop", f"{_ACTIONS}/stop/action", self._stop, long_running=True),
        ]

    async def _versions(self, call: OperationCall) -> Answer:  # noqa: ARG002
        return Answer(body=versions.listing())

    async def _upgrades(self, call: OperationCall) -> Answer:
        cluster = self._cluster(call)
        version = cluster.properties["currentKubernetesVersion"]
        pools = [
            {
                "kubernetesVersion": version,
                "name": profile["name"],
                "osType": profile["osType"],
                "upgrades": [],
            }
            for profile in cluster.properties["agentPoolProfiles"]
        ]
        return Answer(
            body={
                "id": f"{cluster.id}/upgradeprofiles/default",
                "name": "default",
                "type": f"{_ACTIONS}/upgradeprofiles",
                "properties": {
                    "controlPlaneProfile": {
                        "kubernetesVersion": version,
                        "osType": "Linux",
                        "upgrades": [],
                    },
                    "agentPoolProfiles": pools,
                },
            }
        )

    async def _pool_upgrades(self, call: OperationCall) -> Answer:
        cluster = self._cluster(call)
        pool = self._services.store.get(f"{cluster.id}/agentPools/{call.parameters['pool']}")
        if pool is None:
            raise ArmError(404, "NotFound", f"Could not find the agent pool '{call.parameters['pool']}'.")
        return Answer(
            body={
                "id": f"{pool.id}/upgradeProfiles/default",
                "name": "default",
                "type": f"{_POOLS}/upgradeProfiles",
                "properties": {
                    "kubernetesVersion": pool.properties["currentOrchestratorVersion"],
                    "osType": pool.properties["osType"],
                    "upgrades": [],
                    "latestNodeImageVersion": pool.properties["nodeImageVersion"],
                },
            }
        )

    async def _pool_versions(self, call: OperationCall) -> Answer:
        cluster = self._cluster(call)
        return Answer(
            body={
                "id": f"{cluster.id}/availableAgentPoolVersions",
                "name": "default",
                "type": f"{_ACTIONS}/availableAgentPoolVersions",
                "properties": {
                    "agentPoolVersions": [
                        {"default": True, "isPreview": None, "kubernetesVersion": versions.KUBERNETES}
                    ]
                },
            }
        )

    async def _access(self, call: OperationCall) -> Answer:
        role = next((one for one in _ROLES if one.lower() == call.parameters["role"].lower()), None)
        if role is None:
            raise ArmError(404, "NotFound", f"There is no access profile '{call.parameters['role']}'.")
        return Answer(body=credentials.access_profile(self._runtime.plane(self._cluster(call)), role))

    async def _start(self, call: OperationCall) -> Answer:
        cluster = self._cluster(call)
        await self._runtime.start(cluster)
        await self._runtime.start_nodes(cluster)
        self._set_power(cluster, "Running")
        return Answer()

    async def _stop(self, call: OperationCall) -> Answer:
        cluster = self._cluster(call)
        self._set_power(cluster, "Stopped")
        await self._runtime.stop(cluster)
        return Answer()

    def _set_power(self, cluster: Resource, code: str) -> None:
        found = self._services.store.get(cluster.id) or cluster
        found.properties["powerState"] = {"code": code}
        self._services.store.save(found)

    def _cluster(self, call: OperationCall) -> Resource:
        given = call.parameters
        path = _CLUSTER.format(
            subscription=given["subscription"], group=given["group"], cluster=given["cluster"]
        )
        found = self._services.store.get(parse_id(path))
        if found is None:
            raise ArmError(
                404,
                "ResourceNotFound",
                f"The Resource 'Microsoft.ContainerService/managedClusters/{given['cluster']}' under "
                f"resource group '{given['group']}' was not found.",
            )
        return found
