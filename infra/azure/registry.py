"""The container registry: where the agents' images are built, kept and pulled from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry

from infra.azure.diagnostics import diagnose
from infra.azure.exposure import Exposure
from infra.azure.place import Place
from infra.azure.private import Service
from infra.azure.roles import Grantee, Role, grant
from infra.settings.sections import RegistrySettings


@dataclass(frozen=True)
class RegistryArgs:
    """`builds_subnet_id`: where a machine of its own builds images; None: Azure's shared machines do."""

    name: str
    place: Place
    settings: RegistrySettings
    exposure: Exposure
    workspace_id: pulumi.Input[str]
    pullers: Sequence[Grantee]
    pushers: Sequence[Grantee]
    builds_subnet_id: pulumi.Input[str] | None = None


class Registry(pulumi.ComponentResource):
    """A registry without an admin account or anonymous pulls; who may pull and push is a role.

    Premium adds a replica in the paired region, zones, the retention of untagged manifests and network rules:
    a registry of another SKU has none of them and answers on the internet.
    https://learn.microsoft.com/azure/container-registry/container-registry-skus

    `builders` names the pool that builds images, if there is one. `ready` is what a build waits for. `born`
    is when it was made: whatever is in it was put there since.
    """

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:Registry", name, None, opts)
        self._args = args
        self._premium = args.settings.sku == "Premium"
        child = pulumi.ResourceOptions(parent=self)
        self.resource = self._registry(name)
        replicas = self._replicas()
        args.exposure.connect(
            name,
            args.place,
            Service.REGISTRY,
            self.resource.id,
            # The endpoint gets an address for each replica that exists.
            pulumi.ResourceOptions(parent=self, depends_on=replicas),
        )
        diagnose(name, self.resource.id, args.workspace_id, child)
        self.pull_roles = grant("pull", Role.ACR_PULL, args.pullers, self.resource.id, child)
        self.push_roles = grant("push", Role.ACR_PUSH, args.pushers, self.resource.id, child)
        pool = self._build_pool(args.builds_subnet_id)
        self.builders = pool.name if pool is not None else None
        # A machine in the network pushes through the private endpoint.
        self.ready: Sequence[pulumi.Resource] = self.push_roles if pool is None else [self]
        self.born = self.resource.creation_date
        self.id = self.resource.id
        self.name = self.resource.name
        self.login_server = self.resource.login_server
        self.register_outputs({"loginServer": self.login_server})

    @property
    def _zone_redundancy(self) -> containerregistry.ZoneRedundancy:
        zones = containerregistry.ZoneRedundancy
        return zones.ENABLED if self._args.place.zonal else zones.DISABLED

    def _registry(self, name: str) -> containerregistry.Registry:
        args, premium = self._args, self._premium
        return containerregistry.Registry(
            name,
            registry_name=args.name,
            resource_group_name=args.place.resource_group,
            location=args.place.location,
            sku=containerregistry.SkuArgs(name=args.settings.sku),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            public_network_access=args.exposure.public_network_access if premium else None,
            network_rule_bypass_options=containerregistry.NetworkRuleBypassOptions.AZURE_SERVICES,
            network_rule_set=self._network_rules() if premium else None,
            zone_redundancy=self._zone_redundancy if premium else None,
            policies=self._policies() if premium else None,
            tags=args.place.tags,
            opts=args.place.stateful(self),
        )

    def _network_rules(self) -> containerregistry.NetworkRuleSetArgs:
        return containerregistry.NetworkRuleSetArgs(
            default_action=self._args.exposure.default_action,
            ip_rules=[
                containerregistry.IPRuleArgs(i_p_address_or_range=address, action="Allow")
                for address in self._args.exposure.addresses
            ],
        )

    def _policies(self) -> containerregistry.PoliciesArgs:
        return containerregistry.PoliciesArgs(
            retention_policy=containerregistry.RetentionPolicyArgs(
                days=self._args.settings.retention_days, status=containerregistry.PolicyStatus.ENABLED
            )
        )

    def _build_pool(self, subnet_id: pulumi.Input[str] | None) -> containerregistry.AgentPool | None:
        """Azure's shared machines cannot push into a registry that is closed to the internet.

        https://learn.microsoft.com/azure/container-registry/tasks-agent-pools
        """
        if subnet_id is None:
            return None
        place = self._args.place
        return containerregistry.AgentPool(
            "builds",
            agent_pool_name="builds",
            registry_name=self.resource.name,
            resource_group_name=place.resource_group,
            location=place.location,
            count=1,
            os=containerregistry.OS.LINUX,
            tier=self._args.settings.builders,
            virtual_network_subnet_resource_id=subnet_id,
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _replicas(self) -> list[pulumi.Resource]:
        place = self._args.place
        if not self._premium or place.paired is None:
            return []
        return [
            containerregistry.Replication(
                place.paired,
                replication_name=place.paired,
                registry_name=self.resource.name,
                resource_group_name=place.resource_group,
                location=place.paired,
                region_endpoint_enabled=True,
                zone_redundancy=self._zone_redundancy,
                tags=place.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]
