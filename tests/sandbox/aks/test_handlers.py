"""Clusters and agent pools as ARM resources."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from sandbox.aks.clusters import ManagedClusterHandler
from sandbox.aks.pools import AgentPoolHandler
from sandbox.aks.versions import KUBERNETES
from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.azure.managedidentity import IDENTITY_TYPE
from tests.sandbox.aks.conftest import Principals
from tests.sandbox.aks.objects import CLUSTER, GROUP, cluster_put
from tests.sandbox.azure.conftest import World

NODES = GROUP.replace("/rg", "/MC_rg_one_westeurope")


def put(world: World, **properties: Any) -> Resource:
    return world.put(ManagedClusterHandler, CLUSTER, cluster_put(properties).body)


def put_pool(world: World, name: str, **properties: Any) -> Resource:
    body = {"properties": {"vmSize": "Standard_D2s_v5", **properties}}
    return world.put(AgentPoolHandler, f"{CLUSTER}/agentPools/{name}", body)


def operate(world: World, method: str, path: str, *, cluster: str = "one", **given: str) -> Any:
    """The answer of an operation below the cluster."""
    handler = ManagedClusterHandler
    return world.operate(handler, method, path, None, group="rg", cluster=cluster, **given).body


async def view(world: World, handler: type[ManagedClusterHandler | AgentPoolHandler], id_: str) -> Body:
    found = world.store.get(id_)
    assert found is not None
    shown: Body = (await handler(world.services).view(found))["properties"]
    return shown


async def test_pools_are_the_same_inline_and_on_their_own(world: World, told: list[str]) -> None:
    body = cluster_put().body
    await world.aput(ManagedClusterHandler, CLUSTER, body)
    assert told == ["start one", "add_node one system"]
    path = f"{CLUSTER}/agentPools/user"
    await world.aput(AgentPoolHandler, path, {"properties": {"vmSize": "Standard_D2s_v5", "count": 2}})
    profiles = (await view(world, ManagedClusterHandler, CLUSTER))["agentPoolProfiles"]
    assert [(one["name"], one["mode"], one["count"]) for one in profiles] == [
        ("system", "System", 1),
        ("user", "User", 2),
    ]
    assert "1 of 2" in profiles[1]["status"]["provisioningError"]["message"]
    assert (await view(world, AgentPoolHandler, path))["status"] == profiles[1]["status"]
    body["properties"]["agentPoolProfiles"] = [{"name": "system", "mode": "System", "count": 3}]
    await world.aput(ManagedClusterHandler, CLUSTER, body)
    assert (await view(world, AgentPoolHandler, f"{CLUSTER}/agentPools/system"))["count"] == 3
    assert world.store.get(path) is not None


def test_a_pool_scaled_to_none_or_stopped_has_no_node(world: World, told: list[str]) -> None:
    put(world)
    put_pool(world, "user")
    put_pool(world, "user", count=0)
    put_pool(world, "user", count=1, powerState={"code": "Stopped"})
    put_pool(world, "user", count=1)
    assert told[2:] == [
        "add_node one user",
        "remove_node one user",
        "remove_node one user",
        "add_node one user",
    ]


def test_aks_makes_the_kubelets_identity_and_takes_it_away_again(world: World, told: list[str]) -> None:
    cluster = put(world)
    profile = cluster.properties["identityProfile"]["kubeletidentity"]
    assert profile == {
        "resourceId": f"{NODES}/providers/{IDENTITY_TYPE}/one-agentpool",
        "clientId": "client-one-agentpool",
        "objectId": "object-one-agentpool",
    }
    group = world.store.get(NODES)
    assert group is not None
    assert group.body["managedBy"] == CLUSTER
    assert put(world).properties["identityProfile"]["kubeletidentity"] == profile
    world.delete([ManagedClusterHandler, AgentPoolHandler], cluster)
    assert "remove one" in told
    assert list(world.store.list()) == []
    principals = world.services.principals
    assert isinstance(principals, Principals)
    assert principals.made == {}


def own_identities(world: World) -> tuple[str, str]:
    """A cluster's and a kubelet's identity of the user's."""
    ids = []
    for name in ("plane", "kubelet"):
        id_ = parse_id(f"{GROUP}/providers/{IDENTITY_TYPE}/{name}")
        ids.append(str(id_))
        body = {"properties": {"principalId": f"object-{name}", "clientId": f"client-{name}"}}
        world.store.save(Resource(id_, body, 0, 0))
    return ids[0], ids[1]


def test_a_kubelet_identity_of_ones_own(world: World) -> None:
    plane, kubelet = own_identities(world)
    body = cluster_put({"identityProfile": {"kubeletidentity": {"resourceId": kubelet}}}).body
    with pytest.raises(ArmError, match="user-assigned") as caught:
        world.put(ManagedClusterHandler, CLUSTER, body)
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {plane: {}}}
    with pytest.raises(ArmError) as caught:
        world.put(ManagedClusterHandler, CLUSTER, body)
    assert caught.value.code == "CustomKubeletIdentityMissingPermissionError"
    world.rbac.grant("object-plane", f"{IDENTITY_TYPE}/assign/action", scope=kubelet, data=False)
    cluster = world.put(ManagedClusterHandler, CLUSTER, body)
    assert cluster.properties["identityProfile"]["kubeletidentity"]["objectId"] == "object-kubelet"
    body["properties"]["identityProfile"]["kubeletidentity"]["resourceId"] = f"{kubelet}x"
    with pytest.raises(ArmError, match="not found"):
        world.put(ManagedClusterHandler, CLUSTER, body)


def test_the_last_system_pool_cannot_go(world: World) -> None:
    put(world)
    system = world.store.get(f"{CLUSTER}/agentPools/system")
    assert system is not None
    handler = AgentPoolHandler(world.services)
    with pytest.raises(ArmError, match="at least one system agent pool"):
        handler.check_delete(system).send(None)
    with pytest.raises(ArmError, match="at least one system agent pool"):
        put_pool(world, "system", mode="User")
    put_pool(world, "other", mode="System")
    put_pool(world, "system", mode="User")


def test_a_pool_keeps_what_only_another_pool_can_have(world: World) -> None:
    put(world)
    put_pool(world, "user")
    with pytest.raises(ArmError, match="vmSize"):
        put_pool(world, "user", vmSize="Standard_D4s_v5")
    profile = {"name": "system", "mode": "System", "vmSize": "Standard_D4s_v5"}
    with pytest.raises(ArmError, match="vmSize"):
        put(world, agentPoolProfiles=[profile])


def kubeconfig(answer: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(base64.b64decode(answer["kubeconfigs"][0]["value"]))
    return document


def test_kubeconfigs_of_local_accounts(world: World) -> None:
    cluster = put(world)
    for account in ("Admin", "User"):
        answer = world.act(ManagedClusterHandler, f"listCluster{account}Credential", cluster)
        assert answer["kubeconfigs"][0]["name"] == f"cluster{account}"
        document = kubeconfig(answer)
        assert document["clusters"][0]["cluster"]["server"] == f"https://{cluster.properties['fqdn']}:443"
        assert document["users"][0]["name"] == f"cluster{account}_rg_one"
        assert "client-key-data" in document["users"][0]["user"]


def test_kubeconfigs_of_entra_users_hold_no_credential(world: World) -> None:
    cluster = put(world, aadProfile={"managed": True}, disableLocalAccounts=True)
    user = kubeconfig(world.act(ManagedClusterHandler, "listClusterUserCredential", cluster))["users"][0][
        "user"
    ]
    assert user["exec"]["command"] == "kubelogin"
    assert "6dae42f8-4368-4678-94ff-3960e28e3630" in user["exec"]["args"]
    assert "client-key-data" not in user
    with pytest.raises(ArmError, match="disable local accounts"):
        world.act(ManagedClusterHandler, "listClusterAdminCredential", cluster)
    with pytest.raises(ArmError, match="disable local accounts"):
        operate(world, "GET", "accessProfiles/{role}", role="clusterAdmin")
    shown = operate(world, "GET", "accessProfiles/{role}", role="clusteruser")
    assert base64.b64decode(shown["properties"]["kubeConfig"]).startswith(b"apiVersion")


def test_what_lies_below_a_cluster(world: World) -> None:
    put(world)
    answer = operate(world, "GET", "{location}/kubernetesVersions", location="westeurope")
    assert list(answer["values"][0]["patchVersions"]) == [KUBERNETES]
    upgrades = operate(world, "GET", "{cluster}/upgradeProfiles/default")
    assert upgrades["properties"]["controlPlaneProfile"]["kubernetesVersion"] == KUBERNETES
    pool = "{pool}/upgradeProfiles/default"
    shown = operate(world, "GET", pool, pool="system")
    assert shown["properties"]["osType"] == "Linux"
    with pytest.raises(ArmError):
        operate(world, "GET", pool, pool="none")
    with pytest.raises(ArmError, match="was not found"):
        operate(world, "GET", "{cluster}/upgradeProfiles/default", cluster="two")


def test_stopping_and_starting(world: World, told: list[str]) -> None:
    put(world)
    operate(world, "POST", "/stop")
    stored = world.store.get(CLUSTER)
    assert stored is not None
    assert stored.properties["powerState"] == {"code": "Stopped"}
    with pytest.raises(ArmError, match="stopped"):
        put_pool(world, "user")
    ManagedClusterHandler(world.services).resume(stored).close()
    operate(world, "POST", "/start")
    assert told[2:] == ["stop one", "start one", "add_node one system"]
    put_pool(world, "user")


async def test_only_running_clusters_come_back(world: World, told: list[str]) -> None:
    cluster = await world.aput(ManagedClusterHandler, CLUSTER, cluster_put().body)
    pool = world.store.get(f"{CLUSTER}/agentPools/system")
    assert pool is not None
    told.clear()
    await ManagedClusterHandler(world.services).resume(cluster)
    await AgentPoolHandler(world.services).resume(pool)
    assert told == ["start one", "add_node one system"]
    cluster.properties["powerState"] = {"code": "Stopped"}
    world.store.save(cluster)
    await ManagedClusterHandler(world.services).resume(cluster)
    await AgentPoolHandler(world.services).resume(pool)
    assert len(told) == 2


async def test_a_lost_region_cuts_the_cluster_off_and_its_return_plugs_it_in(
    world: World, told: list[str]
) -> None:
    cluster = await world.aput(ManagedClusterHandler, CLUSTER, cluster_put().body)
    pool = world.store.get(f"{CLUSTER}/agentPools/system")
    assert pool is not None
    handlers = (ManagedClusterHandler(world.services), cluster), (AgentPoolHandler(world.services), pool)
    assert [sorted(handler.homes(one)) for handler, one in handlers] == [["westeurope"], []]
    told.clear()
    for handler, one in reversed(handlers):
        await handler.lost(one, "westeurope")
    assert told == ["cut_off one"]
    for handler, one in handlers:
        await handler.regained(one)
    assert told == ["cut_off one", "start one", "add_node one system"]
