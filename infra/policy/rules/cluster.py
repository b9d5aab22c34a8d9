"""AKS itself."""

from infra.policy.model import UNKNOWN, Resource
from infra.policy.rule import Faults, require, resource_rule

_CLUSTER = "azure-native:containerservice:ManagedCluster"
_AKS = "https://learn.microsoft.com/azure/aks"
#: Zones that a pool must be spread over to outlive the loss of one.
_ZONES = 2


@resource_rule(
    _CLUSTER,
    remedy="Set disable_local_accounts=True",
    source=f"{_AKS}/manage-local-accounts-managed-azure-ad",
)
def cluster_has_no_local_accounts(cluster: Resource) -> Faults:
    """The cluster has no certificates that sign in past Entra ID."""
    yield from require(cluster, "disableLocalAccounts", True)


@resource_rule(
    _CLUSTER,
    remedy="Set aad_profile with managed=True and enable_azure_rbac=True",
    source=f"{_AKS}/manage-azure-rbac",
)
def cluster_uses_entra_and_azure_roles(cluster: Resource) -> Faults:
    """Who may do what on the cluster is decided by Entra ID and Azure roles."""
    yield from require(cluster, "aadProfile.managed", True)
    yield from require(cluster, "aadProfile.enableAzureRBAC", True)
    yield from require(cluster, "enableRBAC", True, None)


@resource_rule(
    _CLUSTER,
    remedy="Enable oidc_issuer_profile and security_profile.workload_identity",
    source=f"{_AKS}/workload-identity-deploy-cluster",
)
def cluster_federates_its_workloads(cluster: Resource) -> Faults:
    """Pods get identities from the cluster's issuer instead of secrets."""
    yield from require(cluster, "oidcIssuerProfile.enabled", True)
    yield from require(cluster, "securityProfile.workloadIdentity.enabled", True)


@resource_rule(
    _CLUSTER,
    remedy="Set network_profile.network_policy to cilium",
    source=f"{_AKS}/use-network-policies",
)
def cluster_enforces_network_policies(cluster: Resource) -> Faults:
    """An engine for network policies runs; without one they are stored and ignored."""
    yield from require(cluster, "networkProfile.networkPolicy", "cilium", "azure", "calico")


@resource_rule(
    _CLUSTER,
    remedy="Set auto_upgrade_profile.upgrade_channel and node_os_upgrade_channel",
    source=f"{_AKS}/auto-upgrade-cluster",
)
def cluster_upgrades_itself(cluster: Resource) -> Faults:
    """Kubernetes and the nodes' system get their patches without anybody's doing."""
    yield from require(cluster, "autoUpgradeProfile.upgradeChannel", "patch", "stable", "rapid", "node-image")
    yield from require(
        cluster, "autoUpgradeProfile.nodeOSUpgradeChannel", "NodeImage", "SecurityPatch", "Unmanaged"
    )


@resource_rule(
    _CLUSTER,
    remedy="Set sku.tier to Standard or Premium",
    source=f"{_AKS}/free-standard-pricing-tiers",
    production=True,
)
def production_clusters_have_an_uptime_promise(cluster: Resource) -> Faults:
    """In production the control plane has a financially backed uptime promise."""
    yield from require(cluster, "sku.tier", "Standard", "Premium")


@resource_rule(
    _CLUSTER,
    "azure-native:containerservice:AgentPool",
    remedy="Set availability_zones of the pool to two zones or more",
    source=f"{_AKS}/availability-zones-overview",
    production=True,
)
def production_pools_span_zones(resource: Resource) -> Faults:
    """In production every node pool outlives the loss of a zone."""
    inline = resource.type == _CLUSTER
    for pool in resource.all("agentPoolProfiles") if inline else [resource.inputs]:
        zones = pool.get("availabilityZones")
        if zones is not UNKNOWN and len(zones or []) < _ZONES:
            yield f"pool {pool.get('name') or resource.name} is in {len(zones or []) or 'no'} zones"
