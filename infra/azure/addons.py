"""What AKS adds to a cluster: policy, ingress, telemetry, image cleaning, protection."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.settings.sections import ClusterSettings

# Unused images leave the nodes every other day.
_CLEANING_HOURS = 48


def addon_profiles(workspace_id: pulumi.Input[str]) -> dict[str, aks.ManagedClusterAddonProfileArgs]:
    """Azure Policy, and Container Insights that signs in as an identity instead of with a workspace key."""
    return {
        "azurepolicy": aks.ManagedClusterAddonProfileArgs(enabled=True),
        "omsagent": aks.ManagedClusterAddonProfileArgs(
            enabled=True,
            config={"logAnalyticsWorkspaceResourceID": workspace_id, "useAADAuth": "true"},
        ),
    }


def security_profile(
    settings: ClusterSettings, workspace_id: pulumi.Input[str]
) -> aks.ManagedClusterSecurityProfileArgs:
    """Workload identity always; Defender's sensors, which cost per core, where the settings ask for them."""
    defender = aks.ManagedClusterSecurityProfileDefenderArgs(
        log_analytics_workspace_resource_id=workspace_id,
        security_monitoring=aks.ManagedClusterSecurityProfileDefenderSecurityMonitoringArgs(enabled=True),
    )
    return aks.ManagedClusterSecurityProfileArgs(
        workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
        image_cleaner=aks.ManagedClusterSecurityProfileImageCleanerArgs(
            enabled=True, interval_hours=_CLEANING_HOURS
        ),
        defender=defender if settings.defender else None,
    )


def ingress_profile() -> aks.ManagedClusterIngressProfileArgs:
    """App routing: a managed nginx."""
    return aks.ManagedClusterIngressProfileArgs(
        web_app_routing=aks.ManagedClusterIngressProfileWebAppRoutingArgs(enabled=True)
    )
