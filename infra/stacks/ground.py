"""What every stack that runs agents stands on: group, identities, telemetry, network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import resources

from infra.azure.exposure import Exposure
from infra.azure.identity import Identity, IdentityArgs
from infra.azure.network import Network, NetworkArgs
from infra.azure.place import Place
from infra.azure.roles import Grantee
from infra.azure.telemetry import Telemetry, TelemetryArgs
from infra.cloud import Cloud
from infra.naming import Names
from infra.settings import Settings, SettingsError
from infra.stacks.operators import operators_of


@dataclass(frozen=True)
class Ground:
    """`identities` by agent; `agents` and `operators` are whom components grant their roles to."""

    settings: Settings
    names: Names
    place: Place
    group: resources.ResourceGroup
    control_plane: Identity
    kubelet: Identity
    identities: Mapping[str, Identity]
    agents: Sequence[Grantee]
    operators: Sequence[Grantee]
    telemetry: Telemetry
    network: Network
    exposure: Exposure

    @property
    def workspace(self) -> pulumi.Output[str]:
        return self.telemetry.workspace_id

    def identity(self, owner: str, *, location: str | None = None) -> Identity:
        return _identity(self.names, self.place, owner, location)


def lay(settings: Settings, names: Names, cloud: Cloud) -> Ground:
    group = resources.ResourceGroup("group", resource_group_name=names.resource_group, tags=names.tags())
    place = Place(
        cloud=cloud,
        resource_group=group.name,
        location=settings.location,
        paired=settings.paired_location,
        protect=settings.protect,
        tags=names.tags(),
        zonal=bool(settings.cluster.zones),
    )
    control_plane, kubelet = (_identity(names, place, owner) for owner in ("cluster", "kubelet"))
    identities = {agent: _identity(names, place, agent) for agent in settings.agents}
    agents = [owner.grantee() for owner in identities.values()]
    operators = operators_of(settings)

    telemetry = Telemetry("telemetry", TelemetryArgs(place, names, settings.telemetry, agents, operators))
    network = Network("network", NetworkArgs(place, names, settings.network, telemetry.workspace_id))
    exposure = Exposure(network.private_access, settings.network.allowed_ranges, [network.egress_address])
    return Ground(
        settings=settings,
        names=names,
        place=place,
        group=group,
        control_plane=control_plane,
        kubelet=kubelet,
        identities=identities,
        agents=agents,
        operators=operators,
        telemetry=telemetry,
        network=network,
        exposure=exposure,
    )


def _identity(names: Names, place: Place, owner: str, location: str | None = None) -> Identity:
    return Identity(owner, IdentityArgs(names.identity(owner), place, location))


def domain_of(settings: Settings, cloud: Cloud) -> str:
    """The public DNS zone in which agents answer. Raises SettingsError when there is none."""
    domain = settings.domain or cloud.domain
    if domain is None:
        raise SettingsError(
            f"agents:domain is missing, and {cloud.name} has no domain of its own. Name a DNS zone that you "
            "can delegate: pulumi config set agents:domain example.com"
        )
    return domain
