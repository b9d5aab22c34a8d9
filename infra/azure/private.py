"""Private endpoints: one address inside the network per service, and the names that lead to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import pulumi
from pulumi_azure_native import network

from infra.azure.place import Place


class Service(Enum):
    """A service's sub-resource, as a private endpoint names it.

    https://learn.microsoft.com/azure/private-link/private-endpoint-dns
    """

    BLOB = "blob"
    COSMOS = "Sql"
    EVENTS = "topic"
    OPENAI = "account"
    QUEUE = "queue"
    REGISTRY = "registry"
    SQL = "sqlServer"
    VAULT = "vault"


@dataclass(frozen=True)
class PrivateAccess:
    """The way to services inside the network; `zones` are the resource ids of the private DNS zones.

    `location` is the network's region where the services are in another one.
    """

    subnet_id: pulumi.Input[str]
    zones: Mapping[Service, pulumi.Input[str]]
    location: str | None = None

    def connect(
        self,
        name: str,
        place: Place,
        service: Service,
        target: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> network.PrivateDnsZoneGroup:
        """Give `target` an address in the subnet; ready once its names resolve to it."""
        endpoint = network.PrivateEndpoint(
            name,
            private_endpoint_name=f"pe-{name}",
            resource_group_name=place.resource_group,
            location=self.location or place.location,
            subnet=network.SubnetArgs(id=self.subnet_id),
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name=name, private_link_service_id=target, group_ids=[service.value]
                )
            ],
            tags=place.tags,
            opts=opts,
        )
        return network.PrivateDnsZoneGroup(
            name,
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=place.resource_group,
            private_dns_zone_configs=[
                network.PrivateDnsZoneConfigArgs(
                    name=service.name.lower(), private_dns_zone_id=self.zones[service]
                )
            ],
            opts=opts,
        )
