"""From where a service answers: inside the network only, or on the internet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.place import Place
from infra.azure.private import PrivateAccess, Service


@dataclass(frozen=True)
class Exposure:
    """`private` closes a service to the internet and gives it an address inside the network.

    Without it the service answers on the internet: to `ranges` (CIDR or single IPv4 addresses) and to
    `egress`, the addresses that the cluster's own calls come from; without ranges to everyone with a role.
    """

    private: PrivateAccess | None = None
    ranges: Sequence[pulumi.Input[str]] = ()
    egress: Sequence[pulumi.Input[str]] = ()

    @property
    def public_network_access(self) -> str:
        """What every service calls `publicNetworkAccess`."""
        return "Disabled" if self.private else "Enabled"

    @property
    def default_action(self) -> str:
        """What a service's network rules do with everyone whom no rule names."""
        return "Deny" if self.private or self.ranges else "Allow"

    @property
    def addresses(self) -> list[pulumi.Output[str]]:
        """Whom the rules of a service name that is open where it has none; a single address has no suffix.

        Several services refuse `/32`.
        """
        return self.known_addresses if self.ranges else []

    @property
    def known_addresses(self) -> list[pulumi.Output[str]]:
        """Whom the rules of a service name that is closed where it has none."""
        known = () if self.private else (*self.ranges, *self.egress)
        return [pulumi.Output.from_input(one).apply(lambda text: text.removesuffix("/32")) for one in known]

    def connect(
        self,
        name: str,
        place: Place,
        service: Service,
        target: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> list[pulumi.Resource]:
        """Give `target` its address inside the network; nothing when it is public."""
        if self.private is None:
            return []
        return [self.private.connect(name, place, service, target, opts)]
