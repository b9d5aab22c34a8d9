"""AKS: the cluster, how it is reached, and who may do what on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.azure.addons import addon_profiles, ingress_profile, security_profile
from infra.azure.diagnostics import diagnose
from infra.azure.identity import Identity
from infra.azure.kubeconfig import kubeconfig
from infra.azure.maintenance import maintenance_windows
from infra.azure.place import Place
from infra.azure.pools import UserPoolArgs, system_profile, user_pool, versions_move
from infra.azure.roles import Grantee, Role, grant
from infra.naming import Names
from infra.settings.sections import ClusterSettings, NetworkSettings

# Who changed what (reads left out, they are most of the log), who signed in, what the autoscaler did.
# https://learn.microsoft.com/azure/aks/monitor-aks-reference
_LOGS = ("kube-audit-admin", "guard", "cluster-autoscaler")
# Conventional: the address of cluster DNS within the services' range.
_DNS_ADDRESS = 10


@dataclass(frozen=True)
class ClusterArgs:
    """`control_plane` manages the cluster's Azure resources, `kubelet` pulls its images.

    `egress_address` is where the cluster's own calls come from.
    """

    place: Place
    names: Names
    settings: ClusterSettings
    network: NetworkSettings
    subnet_id: pulumi.Input[str]
    egress_address: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    control_plane: Identity
    kubelet: Identity
    admins: Sequence[Grantee]


class Cluster(pulumi.ComponentResource):
    """Entra ID only (local accounts off), Azure RBAC, workload identity, Cilium, app routing.

    On a private network the API server has an address only there; else `network.allowed_ranges` may reach it.
    What runs pods waits for `user_pool`: without its nodes they would wait until their own deadlines.
    """

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Cluster", name, None, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        self.resource = self._cluster(name, self._platform_roles())
        self.id, self.name = self.resource.id, self.resource.name
        self.user_pool = user_pool(UserPoolArgs(args.place, self.name, args.settings, args.subnet_id), self)
        maintenance_windows(args.place, self.name, args.settings.maintenance, child)
        diagnose(name, self.id, args.workspace_id, child, categories=_LOGS)
        admin = grant("admin", Role.AKS_RBAC_CLUSTER_ADMIN, args.admins, self.id, child)
        grant("sign-in", Role.AKS_CLUSTER_USER, args.admins, self.id, child)
        self.oidc_issuer = self.resource.oidc_issuer_profile.issuer_url
        # Whoever uses the kubeconfig must already be allowed to.
        ready = pulumi.Output.all(*(assignment.id for assignment in admin))
        self.kubeconfig = pulumi.Output.all(kubeconfig(args.place.resource_group, self.name), ready).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"name": self.name, "oidcIssuer": self.oidc_issuer})

    def _platform_roles(self) -> list[pulumi.Resource]:
        """What AKS itself must be allowed before it can create nodes."""
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        me = [args.control_plane.grantee()]
        return [
            *grant("network", Role.NETWORK_CONTRIBUTOR, me, args.subnet_id, child),
            *grant("kubelet", Role.MANAGED_IDENTITY_OPERATOR, me, args.kubelet.id, child),
        ]

    def _cluster(self, name: str, needs: list[pulumi.Resource]) -> aks.ManagedCluster:
        args, place, settings = self._args, self._args.place, self._args.settings
        return aks.ManagedCluster(
            name,
            resource_name_=args.names.cluster,
            resource_group_name=place.resource_group,
            location=place.location,
            node_resource_group=args.names.node_resource_group,
            dns_prefix=args.names.cluster,
            kubernetes_version=settings.kubernetes_version,
            sku=aks.ManagedClusterSKUArgs(name="Base", tier=settings.tier),
            identity=aks.ManagedClusterIdentityArgs(
                type=aks.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[args.control_plane.id],
            ),
            identity_profile={
                "kubeletidentity": aks.UserAssignedIdentityArgs(
                    resource_id=args.kubelet.id,
                    client_id=args.kubelet.client_id,
                    object_id=args.kubelet.principal_id,
                )
            },
            agent_pool_profiles=[system_profile(settings, args.subnet_id, place.tags)],
            aad_profile=aks.ManagedClusterAADProfileArgs(managed=True, enable_azure_rbac=True),
            disable_local_accounts=True,
            enable_rbac=True,
            oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=security_profile(settings, args.workspace_id),
            api_server_access_profile=self._access(),
            network_profile=self._network(),
            ingress_profile=ingress_profile(),
            addon_profiles=addon_profiles(args.workspace_id),
            azure_monitor_profile=aks.ManagedClusterAzureMonitorProfileArgs(
                metrics=aks.ManagedClusterAzureMonitorProfileMetricsArgs(enabled=True)
            ),
            metrics_profile=aks.ManagedClusterMetricsProfileArgs(
                # Only paid tiers break costs down by namespace.
                cost_analysis=aks.ManagedClusterCostAnalysisArgs(enabled=settings.tier != "Free")
            ),
            auto_upgrade_profile=aks.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel=settings.upgrades,
                node_os_upgrade_channel=aks.NodeOSUpgradeChannel.NODE_IMAGE,
            ),
            tags=place.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=needs,
                # The autoscaler's, between the bounds.
                ignore_changes=["agentPoolProfiles[0].count", *self._left_to_azure()],
            ),
        )

    def _left_to_azure(self) -> list[str]:
        if not versions_move(self._args.settings):
            return []
        return ["kubernetesVersion", "agentPoolProfiles[0].orchestratorVersion"]

    def _access(self) -> aks.ManagedClusterAPIServerAccessProfileArgs | None:
        network = self._args.network
        if network.private:
            return aks.ManagedClusterAPIServerAccessProfileArgs(
                enable_private_cluster=True,
                enable_private_cluster_public_fqdn=False,
                private_dns_zone="system",
            )
        if not network.allowed_ranges:
            return None
        return aks.ManagedClusterAPIServerAccessProfileArgs(
            # The nodes are callers too, and come from the NAT gateway.
            authorized_ip_ranges=[
                *network.allowed_ranges,
                pulumi.Output.concat(self._args.egress_address, "/32"),
            ]
        )

    def _network(self) -> aks.ContainerServiceNetworkProfileArgs:
        network = self._args.network
        return aks.ContainerServiceNetworkProfileArgs(
            network_plugin=aks.NetworkPlugin.AZURE,
            network_plugin_mode=aks.NetworkPluginMode.OVERLAY,
            network_dataplane=aks.NetworkDataplane.CILIUM,
            network_policy=aks.NetworkPolicy.CILIUM,
            load_balancer_sku=aks.LoadBalancerSku.STANDARD,
            outbound_type=aks.OutboundType.USER_ASSIGNED_NAT_GATEWAY,
            pod_cidr=network.pods,
            service_cidr=network.services,
            dns_service_ip=str(IPv4Network(network.services)[_DNS_ADDRESS]),
        )
