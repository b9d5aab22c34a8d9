"""What the servers of one cloud share: the gateway, the keeper of backups, the links between regions."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.azure.sql.gateway import Gateway
from sandbox.azure.sql.keeper import Keeper
from sandbox.azure.sql.links import Links
from sandbox.services import Services


@dataclass(frozen=True)
class Estate:
    services: Services
    gateway: Gateway
    keeper: Keeper
    links: Links

    async def close(self) -> None:
        """End what runs in this process; the servers' instances go on."""
        await self.keeper.stop()
        await self.links.close()
        await self.gateway.close()


_ESTATES: dict[int, Estate] = {}


def estate_of(services: Services) -> Estate:
    """The one that the handlers of a cloud share."""
    known = _ESTATES.get(id(services))
    if known is None or known.services is not services:
        shared = Estate(services, _gateway(services), Keeper(services), Links())
        known = _ESTATES[id(services)] = shared
    return known


def _gateway(services: Services) -> Gateway:
    """At every address of the namespace that the process lives in: private endpoints have addresses too."""
    return Gateway(services, "0.0.0.0")  # noqa: S104
