"""Private DNS: inside the network, a service's public name leads to its private endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import privatedns

from infra.azure.place import Place
from infra.azure.private import Service
from infra.cloud import Cloud


def zone_name(cloud: Cloud, service: Service) -> str:
    """The zone that a private endpoint's name lies in, e.g. `privatelink.documents.azure.com`.

    https://learn.microsoft.com/azure/private-link/private-endpoint-dns
    """
    suffixes = {
        Service.BLOB: f"blob.{cloud.storage_suffix}",
        Service.COSMOS: cloud.documents_suffix,
        Service.EVENTS: cloud.events_suffix,
        Service.OPENAI: cloud.openai_suffix,
        Service.QUEUE: f"queue.{cloud.storage_suffix}",
        Service.REGISTRY: cloud.registry_suffix,
        Service.SQL: cloud.sql_suffix,
        Service.VAULT: cloud.private_vault_suffix,
    }
    return f"privatelink.{suffixes[service]}"


@dataclass(frozen=True)
class PrivateZonesArgs:
    place: Place
    network_id: pulumi.Input[str]


class PrivateZones(pulumi.ComponentResource):
    """One zone per service, each linked to the network. Private endpoints write the records."""

    def __init__(self, name: str, args: PrivateZonesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:azure:PrivateZones", name, None, opts)
        self._args = args
        self.ids: Mapping[Service, pulumi.Output[str]] = {service: self._zone(service) for service in Service}
        self.register_outputs({})

    def _zone(self, service: Service) -> pulumi.Output[str]:
        """The zone's id, known once the network looks names up in it."""
        place, child = self._args.place, pulumi.ResourceOptions(parent=self)
        key = service.name.lower()
        zone = privatedns.PrivateZone(
            key,
            private_zone_name=zone_name(place.cloud, service),
            resource_group_name=place.resource_group,
            location="global",
            tags=place.tags,
            opts=child,
        )
        link = privatedns.VirtualNetworkLink(
            key,
            virtual_network_link_name="network",
            private_zone_name=zone.name,
            resource_group_name=place.resource_group,
            location="global",
            virtual_network=privatedns.SubResourceArgs(id=self._args.network_id),
            registration_enabled=False,
            tags=place.tags,
            opts=child,
        )
        return pulumi.Output.all(zone.id, link.id).apply(lambda known: str(known[0]))
