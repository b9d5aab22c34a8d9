"""The environment that a stack of another role belongs to, as its names and the cloud know it.

Ids are computed and the rest is asked of Azure, so that neither the environment's state nor its stack is
needed. https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, containerservice, network

from infra.azure import sql
from infra.azure.exposure import Exposure
from infra.azure.kubeconfig import kubeconfig
from infra.azure.network import ENDPOINTS
from infra.azure.private import PrivateAccess, Service
from infra.azure.private_zones import zone_name
from infra.cloud import Cloud
from infra.naming import Names, restored_database
from infra.settings import Settings
from infra.settings.restores import SERVICES, Restore, last_adopted
from infra.settings.restores import Service as Restorable


@dataclass(frozen=True)
class Foreign:
    """A resource of another stack. `plain_name` is known at once, `id` says where it lies."""

    id: pulumi.Output[str]
    plain_name: str

    @property
    def name(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self.plain_name)

    def child(self, path: str) -> pulumi.Output[str]:
        """The id of what is in it: `child("blobServices/default/containers/secrets")`."""
        return pulumi.Output.concat(self.id, f"/{path}")


@dataclass(frozen=True)
class Owned:
    """What a stack of these names has in its group, of the kinds that its roles share."""

    names: Names
    cloud: Cloud

    @property
    def group_id(self) -> pulumi.Output[str]:
        subscription = authorization.get_client_config_output().subscription_id
        return pulumi.Output.concat(
            "/subscriptions/", subscription, "/resourceGroups/", self.names.resource_group
        )

    def resource(self, kind: str, name: str) -> Foreign:
        """By type and name: `resource("Microsoft.KeyVault/vaults", "kv-agents-prod")`."""
        return Foreign(pulumi.Output.concat(self.group_id, f"/providers/{kind}/{name}"), name)

    @property
    def vault(self) -> Foreign:
        return self.resource("Microsoft.KeyVault/vaults", self.names.vault)

    @property
    def vault_uri(self) -> str:
        return f"https://{self.names.vault}.{self.cloud.vault_suffix}/"

    @property
    def storage(self) -> Foreign:
        return self.resource("Microsoft.Storage/storageAccounts", self.names.storage)

    @property
    def blob_endpoint(self) -> str:
        return f"https://{self.names.storage}.blob.{self.cloud.storage_suffix}/"

    @property
    def registry(self) -> Foreign:
        return self.resource("Microsoft.ContainerRegistry/registries", self.names.registry)

    @property
    def login_server(self) -> str:
        return f"{self.names.registry}.{self.cloud.registry_suffix}"


@dataclass(frozen=True)
class Source:
    """`settings` are the environment's own. `own` is in its group, `backup` in its backup stack's."""

    settings: Settings
    cloud: Cloud

    @property
    def names(self) -> Names:
        return Names(self.settings.environment, self.settings.suffix)

    @property
    def own(self) -> Owned:
        return Owned(self.names, self.cloud)

    @property
    def backup(self) -> Owned:
        return Owned(Names(f"{self.settings.environment}-backup", self.settings.suffix), self.cloud)

    @property
    def account(self) -> Foreign:
        """The Cosmos DB account that its agents use: the original, or what was restored last."""
        adopted = self._adopted("cosmos")
        name = self.names.restored_cosmos(adopted.as_of) if adopted else self.names.cosmos
        return self.own.resource("Microsoft.DocumentDB/databaseAccounts", name)

    @property
    def account_endpoint(self) -> str:
        return f"https://{self.account.plain_name}.{self.cloud.documents_suffix}:443/"

    @property
    def database(self) -> str:
        """The SQL database that its agents use."""
        adopted = self._adopted("sql")
        return restored_database(sql.DATABASE, adopted.as_of) if adopted else sql.DATABASE

    @property
    def first_server(self) -> Foreign:
        return self.own.resource("Microsoft.Sql/servers", self.names.sql)

    @property
    def second_server(self) -> Foreign:
        """In the paired region."""
        return self.own.resource("Microsoft.Sql/servers", self.names.sql_backup)

    @property
    def listener(self) -> str:
        """The host name that follows the failover group's primary."""
        return f"{self.names.failover_group}.{self.cloud.sql_suffix}"

    @property
    def workspace_id(self) -> pulumi.Output[str]:
        return self.own.resource("Microsoft.OperationalInsights/workspaces", self.names.workspace).id

    @property
    def metrics_id(self) -> pulumi.Output[str]:
        return self.own.resource("Microsoft.Monitor/accounts", self.names.metrics).id

    @property
    def cluster_id(self) -> pulumi.Output[str]:
        return self.own.resource("Microsoft.ContainerService/managedClusters", self.names.cluster).id

    def action_group_id(self, channel: str) -> pulumi.Output[str]:
        return self.own.resource("Microsoft.Insights/actionGroups", f"ag-{channel}").id

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
        own = self.own
        return PrivateAccess(
            own.resource("Microsoft.Network/virtualNetworks", self.names.network).child(
                f"subnets/{ENDPOINTS}"
            ),
            {
                service: own.resource("Microsoft.Network/privateDnsZones", zone_name(self.cloud, service)).id
                for service in Service
            },
            self.settings.location,
        )

    def unpaired(self) -> list[Restorable]:
        """Copies that its agents use and that have no second one in the paired region."""
        found = {service: self._adopted(service) for service in SERVICES}
        return [service for service, restore in found.items() if restore is not None and not restore.paired]

    def _adopted(self, service: Restorable) -> Restore | None:
        return last_adopted(self.settings.restores, service)
