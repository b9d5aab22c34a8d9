"""AKS: the cluster, its node pools, and who may do what on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice

from infra.azure.identity import Identity
from infra.azure.kubeconfig import kubeconfig
from infra.azure.roles import Grantee, Role, grant
from infra.settings.sections import ClusterSettings


@dataclass(frozen=True)
class ClusterArgs:
    """`control_plane` manages the cluster's Azure resources, `kubelet` pulls its images."""

    name: str
    resource_group: pulumi.Input[str]
    resource_group_id: pulumi.Input[str]
    settings: ClusterSettings
    subnet_id: pulumi.Input[str]
    network_id: pulumi.Input[str]
    control_plane: Identity
    kubelet: Identity
    admins: Sequence[Grantee]
    tags: dict[str, str]


class Cluster(pulumi.ComponentResource):
    """Entra ID only (local accounts off), Azure RBAC, workload identity, Cilium, app routing."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Cluster", name, None, opts)
        self._args = args
        needs = self._platform_roles()
        self.resource = self._cluster(name, needs)
        self._user_pool()
        admin = grant(
            "admin",
            Role.AKS_RBAC_CLUSTER_ADMIN,
            args.admins,
            self.resource.id,
            pulumi.ResourceOptions(parent=self),
        )
        self.name = self.resource.name
        self.oidc_issuer = self.resource.oidc_issuer_profile.issuer_url
        # Whoever uses the kubeconfig must already be allowed to.
        ready = pulumi.Output.all(*(assignment.id for assignment in admin))
        self.kubeconfig = pulumi.Output.all(kubeconfig(args.resource_group, self.resource.name), ready).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"name": self.name, "oidcIssuer": self.oidc_issuer})

    def _platform_roles(self) -> list[pulumi.Resource]:
        """What AKS itself must be allowed before it can create nodes."""
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        me = [args.control_plane.grantee()]
        return [
            *grant("network", Role.NETWORK_CONTRIBUTOR, me, args.network_id, child),
            *grant("kubelet", Role.MANAGED_IDENTITY_OPERATOR, me, args.kubelet.id, child),
        ]

    def _cluster(self, name: str, needs: list[pulumi.Resource]) -> containerservice.ManagedCluster:
        args, settings = self._args, self._args.settings
        return containerservice.ManagedCluster(
            name,
            resource_name_=args.name,
            resource_group_name=args.resource_group,
            dns_prefix=args.name,
            kubernetes_version=settings.kubernetes_version,
            sku=containerservice.ManagedClusterSKUArgs(name="Base", tier=settings.tier),
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[args.control_plane.id],
            ),
            identity_profile={
                "kubeletidentity": containerservice.UserAssignedIdentityArgs(
                    resource_id=args.kubelet.id,
                    client_id=args.kubelet.client_id,
                    object_id=args.kubelet.principal_id,
                )
            },
            agent_pool_profiles=[
                containerservice.ManagedClusterAgentPoolProfileArgs(
                    name="system",
                    mode=containerservice.AgentPoolMode.SYSTEM,
                    vm_size=settings.system.size,
                    count=settings.system.minimum,
                    os_type=containerservice.OSType.LINUX,
                    type=containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
                    vnet_subnet_id=args.subnet_id,
                )
            ],
            aad_profile=containerservice.ManagedClusterAADProfileArgs(managed=True, enable_azure_rbac=True),
            disable_local_accounts=True,
            enable_rbac=True,
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=containerservice.ManagedClusterSecurityProfileArgs(
                workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(
                    enabled=True
                )
            ),
            network_profile=containerservice.ContainerServiceNetworkProfileArgs(
                network_plugin=containerservice.NetworkPlugin.AZURE,
                network_plugin_mode=containerservice.NetworkPluginMode.OVERLAY,
                network_dataplane=containerservice.NetworkDataplane.CILIUM,
                network_policy=containerservice.NetworkPolicy.CILIUM,
                load_balancer_sku=containerservice.LoadBalancerSku.STANDARD,
                pod_cidr="10.244.0.0/16",
                service_cidr="10.96.0.0/16",
                dns_service_ip="10.96.0.10",
            ),
            ingress_profile=containerservice.ManagedClusterIngressProfileArgs(
                web_app_routing=containerservice.ManagedClusterIngressProfileWebAppRoutingArgs(enabled=True)
            ),
            tags=args.tags,
            # Azure lists every pool here once pools exist as resources of their own.
            opts=pulumi.ResourceOptions(parent=self, depends_on=needs, ignore_changes=["agentPoolProfiles"]),
        )

    def _user_pool(self) -> None:
        args, settings = self._args, self._args.settings
        containerservice.AgentPool(
            "user",
            agent_pool_name="user",
            resource_name_=self.resource.name,
            resource_group_name=args.resource_group,
            mode=containerservice.AgentPoolMode.USER,
            vm_size=settings.user.size,
            count=settings.user.minimum,
            os_type=containerservice.OSType.LINUX,
            type=containerservice.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            vnet_subnet_id=args.subnet_id,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
