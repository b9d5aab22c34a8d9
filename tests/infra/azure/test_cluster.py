"""The cluster: who reaches its API server, how its pools scale, and what is never left on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from unittest.mock import patch

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.azure.cluster import Cluster, ClusterArgs
from infra.azure.identity import Identity, IdentityArgs
from infra.azure.place import Place
from infra.azure.pools import SYSTEM_TAINT, user_pool_name
from infra.azure.roles import Role
from infra.naming import Names
from infra.settings.sections import (
    ClusterSettings,
    MaintenanceSettings,
    NetworkSettings,
    PoolSettings,
)
from tests.infra.azure.declaring import OPERATORS, WORKSPACE, Declarations, declare, large, small

NAMES = Names("dev")
SUBNET, EGRESS = "/subnets/nodes", "20.1.2.3"
ZONES = ClusterSettings(
    tier="Standard",
    zones=["1", "2", "3"],
    system=PoolSettings(minimum=3, maximum=6),
    user=PoolSettings(size="Standard_D8ads_v5", minimum=2, maximum=9),
)


@pytest.fixture(autouse=True)
def _no_credentials() -> Iterator[None]:
    """Reading the kubeconfig needs a cloud."""
    with patch("infra.azure.cluster.kubeconfig", return_value=pulumi.Output.from_input("kubeconfig")):
        yield


def _declared(
    settings: ClusterSettings | None = None,
    network: NetworkSettings | None = None,
    place: Place | None = None,
) -> Declarations:
    where = place or small()

    def program() -> None:
        identities = [
            Identity(key, IdentityArgs(NAMES.identity(key), where)) for key in ("cluster", "kubelet")
        ]
        args = ClusterArgs(
            place=where,
            names=NAMES,
            settings=settings or ClusterSettings(),
            network=network or NetworkSettings(),
            subnet_id=SUBNET,
            egress_address=EGRESS,
            workspace_id=WORKSPACE,
            control_plane=identities[0],
            kubelet=identities[1],
            admins=OPERATORS,
        )
        Cluster("cluster", args)

    return declare(program)


@cache
def _dev() -> Declarations:
    return _declared()


@cache
def _prod() -> Declarations:
    return _declared(ZONES, NetworkSettings(private=True, allowed_ranges=["198.51.100.0/24"]), large())


@cache
def _custom() -> Declarations:
    """What the other two leave at its default."""
    return _declared(
        ClusterSettings(
            defender=True, maintenance=MaintenanceSettings(day="Saturday", hour=4, duration_hours=6)
        ),
        NetworkSettings(pods="10.128.0.0/14", services="10.32.0.0/20", allowed_ranges=["198.51.100.0/24"]),
    )


def test_on_a_private_network_the_api_server_has_no_public_path() -> None:
    cluster = _prod().one("containerservice:ManagedCluster").inputs
    assert cluster["apiServerAccessProfile"] == {
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
    }


def test_a_public_api_server_answers_the_named_ranges_and_the_clusters_own_nodes() -> None:
    cluster = _custom().one("containerservice:ManagedCluster").inputs
    ranges = cluster["apiServerAccessProfile"]["authorizedIPRanges"]
    assert ranges == ["198.51.100.0/24", f"{EGRESS}/32"]


def test_without_ranges_everyone_with_a_role_may_come() -> None:
    assert "apiServerAccessProfile" not in _dev().one("containerservice:ManagedCluster").inputs


def test_dev_and_prod_are_of_one_shape() -> None:
    assert sorted((one.type, one.name) for one in _dev()) == sorted((one.type, one.name) for one in _prod())


def test_nobody_signs_in_past_entra_id() -> None:
    found = _dev()
    cluster = found.one("containerservice:ManagedCluster").inputs
    assert cluster["disableLocalAccounts"] is True
    assert cluster["aadProfile"] == {"managed": True, "enableAzureRBAC": True}
    assert cluster["oidcIssuerProfile"] == {"enabled": True}
    assert cluster["securityProfile"]["workloadIdentity"] == {"enabled": True}
    pools = [*cluster["agentPoolProfiles"], found.one("containerservice:AgentPool").inputs]
    assert {pool["securityProfile"]["sshAccess"] for pool in pools} == {"Disabled"}


def test_pools_scale_between_the_bounds_of_the_settings() -> None:
    found = _prod()
    cluster, user = found.one("containerservice:ManagedCluster"), found.one("containerservice:AgentPool")
    (system,) = cluster.inputs["agentPoolProfiles"]
    for pool, bounds in ((system, (3, 6)), (user.inputs, (2, 9))):
        assert pool["enableAutoScaling"] is True
        assert (pool["minCount"], pool["maxCount"]) == bounds
        assert pool["availabilityZones"] == ["1", "2", "3"]
    # The count is the autoscaler's, the bounds are not.
    assert user.ignored == ("count",)
    assert cluster.ignored == ("agentPoolProfiles[0].count",)


def test_the_agents_stay_off_the_system_pool() -> None:
    found = _dev()
    (system,) = found.one("containerservice:ManagedCluster").inputs["agentPoolProfiles"]
    user = found.one("containerservice:AgentPool").inputs
    assert (system["mode"], system["nodeTaints"]) == ("System", [SYSTEM_TAINT])
    assert (user["mode"], user.get("nodeTaints")) == ("User", None)
    assert user["upgradeSettings"]["maxSurge"] == "33%"


def test_another_size_is_another_pool() -> None:
    larger = ClusterSettings(user=PoolSettings(size="Standard_D16ads_v5"))
    wider = ClusterSettings(tier="Standard", zones=["1", "2"])
    more = ClusterSettings(user=PoolSettings(size="Standard_D4ads_v5", maximum=50))
    names = [user_pool_name(one) for one in (ClusterSettings(), larger, wider)]
    assert len(set(names)) == len(names)
    assert user_pool_name(more) == names[0]


@given(st.from_regex(r"Standard_[A-Za-z]+\d+[A-Za-z0-9_-]*", fullmatch=True))
def test_every_size_gives_a_name_that_azure_takes(size: str) -> None:
    name = user_pool_name(ClusterSettings(user=PoolSettings(size=size)))
    assert name.isalnum()
    assert name.islower()
    assert len(name) <= 12


@pytest.mark.parametrize(("channel", "left"), [("patch", False), ("none", False), ("stable", True)])
def test_azure_keeps_the_versions_it_moves(channel: str, left: bool) -> None:
    found = _declared(ClusterSettings.model_validate({"upgrades": channel}))
    cluster, user = found.one("containerservice:ManagedCluster"), found.one("containerservice:AgentPool")
    assert ("kubernetesVersion" in cluster.ignored) is left
    assert ("agentPoolProfiles[0].orchestratorVersion" in cluster.ignored) is left
    assert ("orchestratorVersion" in user.ignored) is left
    assert cluster.inputs["kubernetesVersion"] == user.inputs["orchestratorVersion"] == "1.34"


def test_upgrades_wait_for_the_window() -> None:
    windows = {
        one.inputs["configName"]: one.inputs
        for one in _custom().of("containerservice:MaintenanceConfiguration")
    }
    assert set(windows) == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    for one in windows.values():
        assert one["maintenanceWindow"] == {
            "schedule": {"weekly": {"dayOfWeek": "Saturday", "intervalWeeks": 1}},
            "startTime": "04:00",
            "durationHours": 6,
            "utcOffset": "+00:00",
        }


def test_the_addons_are_on_and_defender_is_asked_for() -> None:
    cluster = _dev().one("containerservice:ManagedCluster").inputs
    assert cluster["addonProfiles"]["azurepolicy"] == {"enabled": True}
    assert cluster["addonProfiles"]["omsagent"] == {
        "enabled": True,
        "config": {"logAnalyticsWorkspaceResourceID": WORKSPACE, "useAADAuth": "true"},
    }
    assert cluster["azureMonitorProfile"] == {"metrics": {"enabled": True}}
    assert cluster["ingressProfile"] == {"webAppRouting": {"enabled": True}}
    assert cluster["securityProfile"]["imageCleaner"]["enabled"] is True
    assert "defender" not in cluster["securityProfile"]
    asked = _custom().one("containerservice:ManagedCluster").inputs
    assert asked["securityProfile"]["defender"]["securityMonitoring"] == {"enabled": True}


def test_the_cluster_uses_the_address_plan_and_the_nat_gateway() -> None:
    found = _custom().one("containerservice:ManagedCluster").inputs["networkProfile"]
    assert (found["podCidr"], found["serviceCidr"], found["dnsServiceIP"]) == (
        "10.128.0.0/14",
        "10.32.0.0/20",
        "10.32.0.10",
    )
    assert found["outboundType"] == "userAssignedNATGateway"
    assert (found["networkDataplane"], found["networkPolicy"]) == ("cilium", "cilium")


def test_its_identity_may_touch_its_subnet_and_its_kubelets_identity_only() -> None:
    scopes = {
        one.inputs["roleDefinitionId"].rpartition("/")[2]: one.inputs["scope"]
        for one in _dev().of("authorization:RoleAssignment")
    }
    assert scopes == {
        Role.NETWORK_CONTRIBUTOR: SUBNET,
        Role.MANAGED_IDENTITY_OPERATOR: "/UserAssignedIdentity/kubelet",
        Role.AKS_RBAC_CLUSTER_ADMIN: "/ManagedCluster/cluster",
        Role.AKS_CLUSTER_USER: "/ManagedCluster/cluster",
    }


def test_changes_and_sign_ins_are_recorded_in_tables_of_their_own() -> None:
    setting = _dev().one("monitor:DiagnosticSetting").inputs
    assert setting["resourceUri"] == "/ManagedCluster/cluster"
    assert setting["logAnalyticsDestinationType"] == "Dedicated"
    assert {"kube-audit-admin", "guard"} <= {one["category"] for one in setting["logs"]}
