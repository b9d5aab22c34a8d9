"""Node pools: a system pool for what AKS runs, a user pool for the agents; both scale by themselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.azure.place import Place
from infra.settings.sections import ClusterSettings

# Only what AKS itself needs tolerates it. https://learn.microsoft.com/azure/aks/use-system-pools
SYSTEM_TAINT = "CriticalAddonsOnly=true:NoSchedule"
# Channels that move a cluster on to newer minor versions than its settings name.
_NEW_MINORS = {"stable", "rapid"}
_NODE_SECURITY = aks.AgentPoolSecurityProfileArgs(ssh_access=aks.AgentPoolSSHAccess.DISABLED)


def versions_move(settings: ClusterSettings) -> bool:
    """Whether Azure changes the cluster's minor version: then the settings say only how it started."""
    return settings.upgrades in _NEW_MINORS


def system_profile(
    settings: ClusterSettings, subnet_id: pulumi.Input[str], tags: dict[str, str]
) -> aks.ManagedClusterAgentPoolProfileArgs:
    """The pool that a cluster is made with. Its size and zones can never change."""
    pool = settings.system
    return aks.ManagedClusterAgentPoolProfileArgs(
        name="system",
        mode=aks.AgentPoolMode.SYSTEM,
        type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        os_type=aks.OSType.LINUX,
        vm_size=pool.size,
        availability_zones=list(settings.zones) or None,
        vnet_subnet_id=subnet_id,
        orchestrator_version=settings.kubernetes_version,
        enable_auto_scaling=True,
        count=pool.minimum,
        min_count=pool.minimum,
        max_count=pool.maximum,
        node_taints=[SYSTEM_TAINT],
        security_profile=_NODE_SECURITY,
        upgrade_settings=aks.AgentPoolUpgradeSettingsArgs(max_surge="1"),
        tags=tags,
    )


def user_pool_name(settings: ClusterSettings) -> str:
    """Carries what a pool can never change, so that another size is another pool beside the old one.

    At most 12 lower-case letters and digits, as Azure demands.
    """
    fixed = "|".join([settings.user.size, *settings.zones])
    return f"user{hashlib.sha256(fixed.encode()).hexdigest()[:6]}"


@dataclass(frozen=True)
class UserPoolArgs:
    place: Place
    cluster: pulumi.Input[str]
    settings: ClusterSettings
    subnet_id: pulumi.Input[str]


def user_pool(args: UserPoolArgs, parent: pulumi.Resource) -> aks.AgentPool:
    """The agents' nodes. A third more of them during an upgrade, so that pods move before their node goes."""
    settings, pool = args.settings, args.settings.user
    return aks.AgentPool(
        "user",
        agent_pool_name=user_pool_name(settings),
        resource_name_=args.cluster,
        resource_group_name=args.place.resource_group,
        mode=aks.AgentPoolMode.USER,
        type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        os_type=aks.OSType.LINUX,
        vm_size=pool.size,
        availability_zones=list(settings.zones) or None,
        vnet_subnet_id=args.subnet_id,
        orchestrator_version=settings.kubernetes_version,
        enable_auto_scaling=True,
        count=pool.minimum,
        min_count=pool.minimum,
        max_count=pool.maximum,
        security_profile=_NODE_SECURITY,
        upgrade_settings=aks.AgentPoolUpgradeSettingsArgs(
            max_surge="33%", drain_timeout_in_minutes=30, node_soak_duration_in_minutes=0
        ),
        tags=args.place.tags,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # The new pool must have nodes before the old one's are drained.
            delete_before_replace=False,
            # The autoscaler's, between the bounds.
            ignore_changes=["count", *(["orchestratorVersion"] if versions_move(settings) else [])],
        ),
    )
