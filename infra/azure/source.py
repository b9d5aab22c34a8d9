"""The environment that a backup stack belongs to, as its names and the cloud know it.

Ids are computed and the rest is asked of Azure, so that neither the environment's state nor its stack is
needed. https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, containerservice, network

from infra.azure.exposure import Exposure
from infra.azure.kubeconfig import kubeconfig
from infra.azure.network import ENDPOINTS
from infra.azure.private import PrivateAccess, Service
from infra.azure.private_zones import zone_name
from infra.azure.storage import DEAD_LETTERS
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings


@dataclass(frozen=True)
class Source:
    """`settings` are the environment's own."""

    settings: Settings
    cloud: Cloud

    @property
    def names(self) -> Names:
        return Names(self.settings.environment, self.settings.suffix)

    @property
    def group_id(self) -> pulumi.Output[str]:
        subscription = authorization.get_client_config_output().subscription_id
        return pulumi.Output.concat(
            "/subscriptions/", subscription, "/resourceGroups/", self.names.resource_group
        )

    def id(self, kind: str, name: str) -> pulumi.Output[str]:
        """The id of a resource of the environment: `id("Microsoft.KeyVault/vaults", "kv-agents-prod")`."""
        return pulumi.Output.concat(self.group_id, f"/providers/{kind}/{name}")

    @property
    def vault_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.KeyVault/vaults", self.names.vault)

    @property
    def vault_uri(self) -> str:
        return f"https://{self.names.vault}.{self.cloud.vault_suffix}/"

    @property
    def storage_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.Storage/storageAccounts", self.names.storage)

    @property
    def dead_letters_id(self) -> pulumi.Output[str]:
        return pulumi.Output.concat(self.storage_id, f"/blobServices/default/containers/{DEAD_LETTERS}")

    @property
    def blob_endpoint(self) -> str:
        return f"https://{self.names.storage}.blob.{self.cloud.storage_suffix}/"

    @property
    def registry_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.ContainerRegistry/registries", self.names.registry)

    @property
    def login_server(self) -> str:
        return f"{self.names.registry}.{self.cloud.registry_suffix}"

    @property
    def cosmos_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.DocumentDB/databaseAccounts", self.names.cosmos)

    @property
    def sql_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.Sql/servers", self.names.sql)

    @property
    def workspace_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.OperationalInsights/workspaces", self.names.workspace)

    @property
    def metrics_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.Monitor/accounts", self.names.metrics)

    @property
    def cluster_id(self) -> pulumi.Output[str]:
        return self.id("Microsoft.ContainerService/managedClusters", self.names.cluster)

    def action_group_id(self, channel: str) -> pulumi.Output[str]:
        return self.id("Microsoft.Insights/actionGroups", f"ag-{channel}")

    @property
    def kubeconfig(self) -> pulumi.Output[str]:
        return kubeconfig(self.names.resource_group, self.names.cluster)

    @property
    def oidc_issuer(self) -> pulumi.Output[str]:
        cluster = containerservice.get_managed_cluster_output(
            resource_group_name=self.names.resource_group, resource_name=self.names.cluster
        )
        profile = cluster.oidc_issuer_profile
        return profile.apply(lambda found: str(found.issuer_url) if found else "")

    @property
    def exposure(self) -> Exposure:
        """From where copies answer: from where the environment's own services do."""
        settings = self.settings.network
        if settings.private:
            return Exposure(self._private_access())
        if not settings.allowed_ranges:
            return Exposure()
        address = network.get_public_ip_address_output(
            resource_group_name=self.names.resource_group,
            public_ip_address_name=self.names.egress_address,
        )
        return Exposure(None, settings.allowed_ranges, [address.apply(lambda found: str(found.ip_address))])

    def _private_access(self) -> PrivateAccess:
        network_id = self.id("Microsoft.Network/virtualNetworks", self.names.network)
        return PrivateAccess(
            pulumi.Output.concat(network_id, f"/subnets/{ENDPOINTS}"),
            {
                service: self.id("Microsoft.Network/privateDnsZones", zone_name(self.cloud, service))
                for service in Service
            },
            self.settings.location,
        )
