"""AKS and ACR."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import in_group

_REGISTRY = "Microsoft.ContainerRegistry/registries/{registryName}"
_REGISTRY_CHILD = NameRule(
    r"[A-Za-z0-9][A-Za-z0-9_-]{3,48}[A-Za-z0-9]", "5-50 alphanumerics, hyphens and underscores"
)
_CLUSTER = "Microsoft.ContainerService/managedClusters/{resourceName}"

ROWS = (
    ArmType(
        "Microsoft.ContainerService/managedClusters",
        in_group(_CLUSTER),
        pulumi="azure-native:containerservice:ManagedCluster",
        model="azure.mgmt.containerservice:ManagedCluster",
        name=NameRule(
            r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?",
            "1-63 alphanumerics, underscores and hyphens, starting and ending with an alphanumeric",
        ),
        long_running="azure-async-operation",
        replace_on=(
            "diskEncryptionSetID",
            "dnsPrefix",
            "fqdnSubdomain",
            "linuxProfile",
            "windowsProfile.adminUsername",
            "location",
            "nodeResourceGroup",
            "networkProfile.dnsServiceIP",
            "networkProfile.ipFamilies",
            "networkProfile.loadBalancerSku",
            "networkProfile.networkMode",
            "networkProfile.networkPlugin",
            "networkProfile.networkPolicy",
            "networkProfile.podCidr",
            "networkProfile.podCidrs",
            "networkProfile.serviceCidr",
            "networkProfile.serviceCidrs",
        ),
        shared=("agentPoolProfiles",),
        read_only=("properties.agentPoolProfiles.nodeImageVersion",),
    ),
    ArmType(
        "Microsoft.ContainerService/managedClusters/agentPools",
        in_group(f"{_CLUSTER}/agentPools/{{agentPoolName}}"),
        pulumi="azure-native:containerservice:AgentPool",
        model="azure.mgmt.containerservice:AgentPool",
        name=NameRule(r"[a-z][a-z0-9]{0,11}", "1-12 lowercase letters and digits, starting with a letter"),
        long_running="azure-async-operation",
        read_only=("properties.nodeImageVersion",),
        replace_on=(
            "gpuInstanceProfile",
            "vmSize",
            "osType",
            "osDiskType",
            "osDiskSizeGB",
            "vnetSubnetID",
            "maxPods",
        ),
    ),
    ArmType(
        "Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        in_group(f"{_CLUSTER}/maintenanceConfigurations/{{configName}}"),
        pulumi="azure-native:containerservice:MaintenanceConfiguration",
        model="azure.mgmt.containerservice:MaintenanceConfiguration",
        name=NameRule(
            r"default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule",
            "'default', 'aksManagedAutoUpgradeSchedule' or 'aksManagedNodeOSUpgradeSchedule'",
        ),
    ),
    ArmType(
        "Microsoft.ContainerRegistry/registries",
        in_group(_REGISTRY),
        pulumi="azure-native:containerregistry:Registry",
        model="azure.mgmt.containerregistry:Registry",
        name=NameRule(r"[A-Za-z0-9]{5,50}", "5-50 alphanumerics"),
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.ContainerRegistry/registries/replications",
        in_group(f"{_REGISTRY}/replications/{{replicationName}}"),
        pulumi="azure-native:containerregistry:Replication",
        model="azure.mgmt.containerregistry:Replication",
        name=NameRule(r"[A-Za-z0-9]{5,50}", "5-50 alphanumerics"),
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.ContainerRegistry/registries/agentPools",
        in_group(f"{_REGISTRY}/agentPools/{{agentPoolName}}"),
        pulumi="azure-native:containerregistry:AgentPool",
        model="azure.mgmt.containerregistrytasks:AgentPool",
        name=NameRule(r"[A-Za-z0-9-]{3,20}", "3-20 alphanumerics and hyphens"),
        long_running="azure-async-operation",
        replace_on=("virtualNetworkSubnetResourceId", "os", "location"),
    ),
    ArmType(
        "Microsoft.ContainerRegistry/registries/scopeMaps",
        in_group(f"{_REGISTRY}/scopeMaps/{{scopeMapName}}"),
        pulumi="azure-native:containerregistry:ScopeMap",
        model="azure.mgmt.containerregistry:ScopeMap",
        name=_REGISTRY_CHILD,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.ContainerRegistry/registries/tokens",
        in_group(f"{_REGISTRY}/tokens/{{tokenName}}"),
        pulumi="azure-native:containerregistry:Token",
        model="azure.mgmt.containerregistry:Token",
        name=_REGISTRY_CHILD,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.ContainerRegistry/registries/webhooks",
        in_group(f"{_REGISTRY}/webhooks/{{webhookName}}"),
        pulumi="azure-native:containerregistry:Webhook",
        model="azure.mgmt.containerregistry:WebhookCreateParameters",
        view="azure.mgmt.containerregistry:Webhook",
        name=NameRule(r"[A-Za-z0-9]{5,50}", "5-50 alphanumerics"),
        long_running="azure-async-operation",
    ),
)
